"""The shape of a verb, and of its answer."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError

from core.broker.handler import brokers

Options = dict[str, Any]
#: Rollups are kept for a month unless you say otherwise.
LONGEST_DAYS, DIGITS = 366, 10
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a verb."""

    #: For programs: with --json.
    values: Any
    #: For people.
    text: str
    #: False: the command ends with 1.
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that the command does."""

    name: str
    help: str
    perform: Callable[[Options], Answer]
    declare: Callable[[ArgumentParser], None] = lambda parser: None


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return lines whose columns stand below each other: numbers to the right."""
    cells = [list(heads), *([cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [
        all(isinstance(value, int | float | None) for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(heads)
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def cell(value: Any) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def add_broker(parser: ArgumentParser) -> None:
    """Take an alias; all of them without it."""
    parser.add_argument(
        "--broker", default="", help="an alias in BROKERS; default: all"
    )


def add_period(parser: ArgumentParser, default: str) -> None:
    """Take a period."""
    parser.add_argument(
        "--period", type=_period, default=default, help="such as 30m, 6h or 7d"
    )


def _period(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS or not int(number):
        raise ArgumentTypeError(f"{text!r} is no period; write 30m, 6h or 7d")
    if len(number) > DIGITS or int(number) * _UNITS[unit] > LONGEST_DAYS * _UNITS["d"]:
        raise ArgumentTypeError(f"{text!r} is too long; no more than {LONGEST_DAYS}d")
    return timedelta(seconds=int(number) * _UNITS[unit])


def positive(text: str) -> int:
    """Read how many."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} must be a whole number over 0")
    return int(text)


def json_value(kind: type[list[Any]] | type[dict[str, Any]], text: str) -> Any:
    """Read a JSON list or a JSON object."""
    with suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, kind):
            return value
    what = 'list, as [7, "ann"]' if kind is list else 'object, as {"number": 7}'
    raise ArgumentTypeError(f"{text!r} is no JSON {what}")


def known(options: Options) -> str:
    """Return the alias that is asked for; raise if there is none of that name."""
    alias: str = options["broker"]
    if alias and alias not in list(brokers):
        names = ", ".join(brokers)
        raise CommandError(f"--broker: {alias!r} is not in BROKERS ({names}).")
    return alias
