"""The end of a run: promises x combinations, and no hole in a run of the whole suite.

A plugin of pytest's, which tests/conftest.py registers.
"""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import pytest

from tests.conformance.combinations import CANNOT
from tests.conformance.promises import FOLDER, PROJECT, Promise, chapters, every

PASSED, FAILED, SAYS_CANNOT, HOLE, NOT_ASKED = "✓", "✗", "\N{EN DASH}", "?", " "
LEGEND = (
    f"{PASSED} kept   {FAILED} broken   {SAYS_CANNOT} says it cannot"
    f"   {HOLE} a hole: nobody tried   blank: not asked"
)
#: Columns of the terminal.
WIDTH = 110
#: A run of fewer promises, and not of all, prints no table.
FEW = 20
#: With one of these a run is not the whole suite, though its paths cover it.
PARTIAL = ("ignore", "ignore_glob", "lf", "keyword", "markexpr")
#: What a report tells of its promise: [address, combination, ...].
PROPERTY = "promise"


class PromiseTable:
    """What became of every promise on every combination."""

    def __init__(self, combinations: Sequence[str], whole: bool) -> None:
        self.combinations = combinations
        self.whole = whole
        # (promise, combination) -> node id -> what became of it: a promise may have
        # several cases.
        self._cases: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        # Of each case: its cells. One about several combinations at once has several.
        self._where: dict[str, list[tuple[str, str]]] = {}

    def expect(self, case: str, promise: str, *combinations: str) -> None:
        """Note that a case will be tried; until it has ended it is a hole."""
        self._where[case] = [(promise, alias) for alias in combinations]
        for cell in self._where[case]:
            self._cases[cell][case] = HOLE

    def note(self, case: str, outcome: str) -> None:
        """Note what became of a case; what failed once stays so."""
        for cell in self._where[case]:
            if self._cases[cell][case] != FAILED:
                self._cases[cell][case] = outcome

    def cell(self, promise: str, combination: str) -> str:
        """Return one sign for all cases; when they differ, it is a hole."""
        signs = set(self._cases.get((promise, combination), {}).values())
        if FAILED in signs:
            return FAILED
        if not signs:
            asked = self.whole and is_asked(every()[promise], combination)
            return HOLE if asked else NOT_ASKED
        return signs.pop() if len(signs) == 1 else HOLE

    def cells(self, promise: str) -> list[str]:
        """Return a promise's line."""
        return [self.cell(promise, alias) for alias in self.combinations]

    def holes(self) -> list[str]:
        """Return what a run of the whole suite has not tried, and should have."""
        if not self.whole:
            return []
        return [promise for promise in every() if HOLE in self.cells(promise)]

    def lines(self) -> list[str]:
        """Return the table; nothing for a few promises."""
        tried = {p for p in every() if _tells(self.cells(p))}
        if not tried or (not self.whole and len(tried) < FEW):
            return []
        shown = [p for p in every().values() if self.whole or p.address in tried]
        told = zip(*(self.cells(p.address) for p in shown), strict=True)
        layout = Layout(
            [
                alias
                for alias, signs in zip(self.combinations, told, strict=True)
                if self.whole or _tells(signs)
            ],
            max(len(promise.words) for promise in shown),
        )
        return [*layout.head(), *self._body(layout, shown), "", LEGEND]

    def _body(self, layout: "Layout", shown: Sequence[Promise]) -> Iterator[str]:
        for chapter in chapters():
            promises = [promise for promise in chapter.promises if promise in shown]
            if promises:
                yield from ("", chapter.title)
            for promise in promises:
                signs = [self.cell(promise.address, a) for a in layout.combinations]
                yield from layout.line(f"  {promise.words}", signs)

    # What pytest calls.

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        if any(FOLDER in item.path.parents for item in items):
            self.whole = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        promises = every()
        for item in session.items:
            if promise := promises.get(address(item)):
                aliases = promise.together or [stack_of(item)]
                self.expect(item.nodeid, promise.address, *aliases)
                item.user_properties.append((PROPERTY, [promise.address, *aliases]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = dict(report.user_properties).get(PROPERTY)
        if told and report.nodeid not in self._where:  # collected by another process
            self.expect(report.nodeid, *told)
        if told and (outcome := _outcome(report)):
            self.note(report.nodeid, outcome)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK and self.holes():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        lines = self.lines()
        if lines:
            terminalreporter.section("promises")
            terminalreporter.write_line("\n".join(lines))
        if lines and self.holes():
            message = f"Holes in {len(self.holes())} promises; so this run failed."
            terminalreporter.write_line(message, red=True)


def address(item: pytest.Item) -> str:
    """Return the address of an item's promise."""
    name = getattr(item, "originalname", item.name)
    return f"{item.path.relative_to(PROJECT).as_posix()}::{name}"


def stack_of(item: pytest.Item) -> str | None:
    """Return the combination that an item is tried on."""
    return item.callspec.params.get("stack") if hasattr(item, "callspec") else None


def is_asked(promise: Promise, combination: str) -> bool:
    """Say whether a promise is about a combination."""
    return combination in (promise.together or [combination])


def is_whole(config: pytest.Config) -> bool:
    """Say whether the command line asks for every test of the folder."""
    if hasattr(config, "workerinput"):  # of pytest-xdist: it is given a part
        return False
    if config.option.collectonly or any(config.getoption(o, None) for o in PARTIAL):
        return False
    asked = (config.invocation_params.dir / argument for argument in config.args)
    return any(FOLDER.is_relative_to(path.resolve()) for path in asked)


def _outcome(report: pytest.TestReport) -> str:
    """Return what a phase says of its test; "" if it says nothing."""
    if report.failed:
        return FAILED
    if hasattr(report, "wasxfail"):
        return HOLE
    if report.skipped:
        return SAYS_CANNOT if f"Skipped: {CANNOT}" in str(report.longrepr) else HOLE
    return PASSED if report.when == "call" else ""


def _tells(signs: Iterable[str]) -> bool:
    return any(sign not in (HOLE, NOT_ASKED) for sign in signs)


class Layout:
    """Words to the left, a column for each combination."""

    def __init__(self, combinations: Sequence[str], longest: int) -> None:
        self.combinations = combinations
        # The head has two lines: the engine over the broker.
        self._widths = [max(map(len, alias.split("_"))) for alias in combinations]
        room = WIDTH - sum(width + 2 for width in self._widths)
        self._room = min(room, longest + 2)

    def head(self) -> list[str]:
        """Name the columns."""
        names = [alias.partition("_") for alias in self.combinations]
        engines = self.line("", [engine for engine, _, _ in names])
        brokers = self.line("", [broker for _, _, broker in names])
        return [line for line in (*engines, *brokers) if line]

    def line(self, words: str, signs: Sequence[str]) -> Iterator[str]:
        """Put signs behind words, which may take several lines."""
        wrapped = textwrap.wrap(words, self._room, subsequent_indent="    ")
        first, *rest = wrapped or [""]
        pairs = zip(signs, self._widths, strict=True)
        cells = "".join(f"  {sign:^{width}}" for sign, width in pairs)
        yield f"{first:{self._room}}{cells}".rstrip()
        yield from rest
