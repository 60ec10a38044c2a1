"""A pytest plugin: a process or a heartbeat that outlives its test run fails it."""

import threading
from typing import Any

import psutil
import pytest

#: Where a process of pytest-xdist tells the first one.
KEY = "leftovers"
#: Threads of ours that must have ended.
THREADS = ("switchyard-lease", "switchyard-clock")
#: Seconds that a process may take to end which nobody waited for.
SECONDS = 5


class Leftovers:
    """What is left of a run, in all of its processes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.found: list[str] = []

    @pytest.hookimpl(trylast=True)  # once the last fixtures are gone
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[KEY] = left()
            return
        if not self._config.getoption("numprocesses", None):
            self.found += left()
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)  # of pytest-xdist
    def pytest_testnodedown(self, node: Any) -> None:
        self.found += getattr(node, "workeroutput", {}).get(KEY, ())

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        if self.found:
            terminalreporter.section("left over")
            terminalreporter.write_line("\n".join(self.found), red=True)


def left() -> list[str]:
    """Kill the children that nobody has ended; return them, and such threads."""
    children = psutil.Process().children(recursive=True)
    alive = psutil.wait_procs(children, SECONDS)[1]
    told = [_line(process) for process in alive]
    for process in alive:
        process.kill()
    threads = [t.name for t in threading.enumerate() if t.name in THREADS]
    return told + [f"thread {name}" for name in threads]


def _line(process: psutil.Process) -> str:
    try:
        return f"process {process.pid}: {' '.join(process.cmdline())[:200]}"
    except psutil.NoSuchProcess:
        return f"process {process.pid}"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Leftovers(config))
