"""The end of a run: a line for each scenario, a column for each combination, and JSON.

A plugin of pytest's, which tests/faults/conftest.py registers.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.faults.matrix import COMBINATIONS, modules

#: What a report tells of its case.
PROPERTY = "fault"


class FaultTable:
    """What became of every case."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        """Have the report tell of its case, also to another process."""
        outcome = yield
        report: pytest.TestReport = outcome.get_result()
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        if case is not None and (report.when == "call" or report.failed):
            told = {
                "fault": case.fault,
                "engine": case.engine,
                "broker": case.broker,
                "seed": case.seed,
                "orders": case.orders,
                "passed": report.passed,
                "seconds": round(report.duration, 1),
            }
            rig = item.funcargs.get("rig")
            report.user_properties.append(
                (PROPERTY, told | getattr(rig, "measured", {}))
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if told := dict(report.user_properties).get(PROPERTY):
            self.results.append(told)

    def lines(self) -> list[str]:
        """Return the table; nothing if no scenario ran."""
        if not self.results:
            return []
        cells: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
        for result in self.results:
            place = result["fault"], result["engine"], result["broker"]
            cells[place].append(result["passed"])
        head = "  ".join(f"{e}/{b}" for e, b in COMBINATIONS)
        lines = [f"{'':5}{head}"]
        for fault, module in modules().items():
            signs = [sign(cells[fault, e, b]) for e, b in COMBINATIONS]
            widths = [len(f"{e}/{b}") for e, b in COMBINATIONS]
            if any(s.strip() for s in signs):
                row = "  ".join(s.center(w) for s, w in zip(signs, widths, strict=True))
                title = (module.__doc__ or "").splitlines()[0]
                lines.append(f"{fault:5}{row}  {title}")
        return lines

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        if lines := self.lines():
            terminalreporter.section("faults survived")
            for line in lines:
                terminalreporter.line(line)
            if file := os.environ.get("FAULTS_JSON"):
                Path(file).write_text(json.dumps(self.results, indent=1) + "\n")


def sign(outcomes: list[bool]) -> str:
    """Return a cell: how many of its cases passed, or a blank."""
    if not outcomes:
        return ""
    if all(outcomes):
        return "✓" if len(outcomes) == 1 else f"✓ {len(outcomes)}"
    return f"✗ {outcomes.count(False)} of {len(outcomes)}"
