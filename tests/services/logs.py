"""A pytest plugin: what the servers and workers of a failed test said last."""

from collections.abc import Iterator
from pathlib import Path

import pytest

#: Characters of a log in a report.
TAIL = 3000

_watched: dict[Path, float] = {}


def watch(log: Path) -> None:
    """Show the end of a log with each test that fails while it is written to."""
    _watched[log] = 0.0


def tail(log: Path, characters: int = TAIL) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-characters:] if log.exists() else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    for log in _watched:
        _watched[log] = _written(log)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[pytest.TestReport]:
    report = yield
    if report.failed:
        for log, before in _watched.items():
            if _written(log) > before:
                title = f"last lines of {log.parent.name}/{log.name}"
                report.sections.append((title, tail(log)))
    return report


def _written(log: Path) -> float:
    return log.stat().st_mtime if log.exists() else 0.0
