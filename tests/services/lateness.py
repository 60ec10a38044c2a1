"""A pytest plugin: what was only late is tried once more, alone, at the end.

Nothing else is: a wrong value, or one that never came, may be a race of ours, which a
second try would hide. More than `MOST` late tests fail the run at once.
"""

import os
import subprocess
import sys

import pytest

from tests.services.waiting import TooLate

#: So many tests of a run may be late; one more, and nothing is tried again.
MOST = 2
#: What a report tells of a test that was late.
PROPERTY = "late"
#: What a run of its own must not inherit.
OURS = ("PYTEST_XDIST", "TEST_RUN", "TEST_CHOOSER", "TEST_DATABASE_NAME")
#: Tells a run that it is the second try, after which there is no third.
SECOND = "TEST_SECOND_TRY"


class Lateness:
    """The tests of this run that were late, and what became of their second try."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._late: dict[str, str] = {}
        self._failed: set[str] = set()
        self._told: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> object:
        report = yield
        if call.excinfo is not None and call.excinfo.errisinstance(TooLate):
            report.user_properties.append((PROPERTY, str(call.excinfo.value)))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties)
        if report.failed and PROPERTY in told:
            self._late[report.nodeid] = told[PROPERTY]
        elif report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)  # before the promises are looked at
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(self._config, "workerinput") or not self._late:
            return
        if SECOND in os.environ:
            return
        if self._failed & self._late.keys() or len(self._late) > MOST:
            self._told.append(f"{len(self._late)} were late; none is tried again.")
            return
        ended = [self._again(test) for test in self._late]
        if all(ended) and not self._failed and only_failures(session):
            session.exitstatus = pytest.ExitCode.OK

    def _again(self, test: str) -> bool:
        """Try a test alone; say whether it passed."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        environment[SECOND] = "1"
        root, (file, _, name) = self._config.rootpath, test.partition("::")
        config = [f"--config-file={self._config.inipath}", f"--rootdir={root}"]
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                *config,
                f"{root / file}::{name.partition('@')[0]}",
            ],
            cwd=self._config.invocation_params.dir,
            env=environment,
            capture_output=True,
            text=True,
        )
        passed = ended.returncode == 0
        self._told.append(f"late    {test}: {self._late[test]}")
        self._told.append(f"again   {'passed' if passed else ended.stdout}")
        return passed

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        if self._told:
            terminalreporter.section("late")
            terminalreporter.write_line("\n".join(self._told))


def only_failures(session: pytest.Session) -> bool:
    """Return True if nothing but failed tests speaks against the run."""
    return session.exitstatus == pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Lateness(config))


def pytest_report_header() -> str:
    return f"load average: {load()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"load average: {load()}")


def load() -> str:
    """Return the load of the last 1, 5 and 15 minutes."""
    return " ".join(f"{number:.2f}" for number in os.getloadavg())
