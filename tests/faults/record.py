"""python -m tests.faults.record: keep what `make faults` has measured, and show it.

Adds var/faults.json to docs/faults.json, the newer result of a case for the older one,
and writes docs/faults.md anew.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.faults.matrix import COMBINATIONS, modules

PROJECT = Path(__file__).parents[2]
NEW = PROJECT / "var" / "faults.json"
KEPT = PROJECT / "docs" / "faults.json"
PAGE = PROJECT / "docs" / "faults.md"
#: What a result says of its case; the rest was measured.
CASE = ("fault", "engine", "broker", "seed", "orders")
PLAIN = (*CASE, "passed", "seconds")
HEAD = """# What was survived

Written by `python -m tests.faults.record` from [faults.json](faults.json), which keeps
what `make faults` has measured, on two cores that run the brokers and the database as
well. Each cell: how many orders, how many runs with seeds of their own, and the worst
that was measured. Deadlines are asserted as promised; what a scenario does is told in
`tests/faults/scenarios`.

"""
DIRECT = """
## Direct messages

`durable=False`: the engine alone keeps them. Of those that were accepted, so many were
lost, and so many ran twice. [Guarantees](guarantees.md) says what that means.

"""


def read(file: Path) -> list[dict[str, Any]]:
    """Return the results in a file, none if there is no file."""
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found


def merged(*lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all results, the last one of each case, in the order of the faults."""
    by_case = {tuple(r[name] for name in CASE): r for one in lists for r in one}
    return sorted(by_case.values(), key=lambda r: (number(r["fault"]), str(r)))


def number(fault: str) -> int:
    """Return the number of a fault such as "F6, direct"."""
    return int(fault.split(",")[0][1:])


def cell(results: list[dict[str, Any]]) -> str:
    """Return what a table says of the runs of one fault on one combination."""
    if not results:
        return ""
    failed = sum(not r["passed"] for r in results)
    sign = f"{failed} of {len(results)} failed" if failed else "held"
    orders = max(r["orders"] for r in results)
    seeds = f" x {len(results)}" if len(results) > 1 else ""
    return "; ".join([f"{sign} ({orders}{seeds})", *worst(results)])


def worst(results: list[dict[str, Any]]) -> Iterable[str]:
    """Return the largest of each thing that was measured."""
    names = {name: None for r in results for name in r if name not in PLAIN}
    for name in names:
        value = max(r[name] for r in results if name in r)
        yield f"{name.replace('_', ' ')} {value}"


def lines(results: list[dict[str, Any]], titles: dict[str, str]) -> Iterable[str]:
    """Return a table: a row for each fault, a column for each combination."""
    cells: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for r in results:
        cells[r["fault"], r["engine"], r["broker"]].append(r)
    yield f"| fault | {' | '.join(f'{e}, {b}' for e, b in COMBINATIONS)} |"
    yield "| --- " * (1 + len(COMBINATIONS)) + "|"
    for fault in dict.fromkeys(r["fault"] for r in results):
        row = [cell(cells[fault, e, b]) or "-" for e, b in COMBINATIONS]
        title = titles.get(fault.split(",")[0], "")
        yield f"| **{fault.split(',')[0]}** {title} | {' | '.join(row)} |"


def page(results: list[dict[str, Any]]) -> str:
    """Return docs/faults.md."""
    titles = {f: (m.__doc__ or "").split("\n")[0] for f, m in modules().items()}
    durable = [r for r in results if "," not in r["fault"]]
    direct = [r for r in results if r["fault"].endswith(", direct")]
    parts = [HEAD, "\n".join(lines(durable, titles)), "\n", DIRECT]
    return "".join([*parts, "\n".join(lines(direct, titles)), "\n"])


if __name__ == "__main__":
    results = merged(read(KEPT), read(NEW))
    KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(results))
