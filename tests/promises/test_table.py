"""The table at the end of a run, and the hole that fails it."""

from types import SimpleNamespace

import pytest

from tests.conformance.promises import every
from tests.conformance.table import (
    FAILED,
    HOLE,
    LEGEND,
    NOT_ASKED,
    PASSED,
    SAYS_CANNOT,
    WIDTH,
    PromiseTable,
)

COMBINATIONS = ["inprocess", "celery_valkey", "dramatiq_valkey"]
ONE = next(address for address, promise in every().items() if not promise.together)
BOTH = next(address for address, promise in every().items() if promise.together)


def tried(*, whole: bool, left_out: str = "") -> PromiseTable:
    """Return the table of a run in which all but one promise was kept."""
    table = PromiseTable(COMBINATIONS, whole)
    for promise in every().values():
        together = [promise.together] if promise.together else []
        for aliases in together or [(alias,) for alias in COMBINATIONS]:
            if promise.address != left_out:
                case = f"{promise.address}[{'-'.join(aliases)}]"
                table.expect(case, promise.address, *aliases)
                table.note(case, PASSED)
    return table


def status(table: PromiseTable) -> int:
    """Return how a run ends that was well until then."""
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    table.pytest_sessionfinish(session)
    return session.exitstatus


def test_whole_run_without_a_hole_is_well() -> None:
    table = tried(whole=True)
    assert (table.holes(), status(table)) == ([], pytest.ExitCode.OK)


def test_promise_that_nobody_tried_fails_a_whole_run() -> None:
    table = tried(whole=True, left_out=ONE)
    assert table.cells(ONE) == [HOLE, HOLE, HOLE]
    assert (table.holes(), status(table)) == ([ONE], pytest.ExitCode.TESTS_FAILED)


def test_promise_left_out_on_one_combination_is_a_hole() -> None:
    table = tried(whole=True)
    table.note(f"{ONE}[inprocess]", HOLE)
    assert table.cells(ONE) == [HOLE, PASSED, PASSED]
    assert table.holes() == [ONE]


def test_promise_about_two_combinations_at_once_is_asked_of_no_other() -> None:
    assert tried(whole=True).cells(BOTH) == [NOT_ASKED, PASSED, PASSED]
    assert tried(whole=True, left_out=BOTH).cells(BOTH) == [NOT_ASKED, HOLE, HOLE]


def test_missing_feature_of_a_combination_is_no_hole() -> None:
    table = tried(whole=True)
    table.note(f"{ONE}[inprocess]", SAYS_CANNOT)
    assert table.cells(ONE) == [SAYS_CANNOT, PASSED, PASSED]
    assert table.holes() == []


def test_promise_kept_in_some_cases_only_is_a_hole() -> None:
    table = tried(whole=True)
    table.expect(f"{ONE}[inprocess-2]", ONE, "inprocess")
    table.note(f"{ONE}[inprocess-2]", SAYS_CANNOT)
    assert table.cell(ONE, "inprocess") == HOLE


def test_case_that_failed_stays_so_after_its_teardown() -> None:
    table = tried(whole=True)
    table.note(f"{ONE}[inprocess]", FAILED)
    table.note(f"{ONE}[inprocess]", PASSED)
    assert table.cell(ONE, "inprocess") == FAILED


def test_run_of_a_part_has_no_holes() -> None:
    table = tried(whole=False, left_out=ONE)
    assert table.cells(ONE) == [NOT_ASKED] * 3
    assert (table.holes(), status(table)) == ([], pytest.ExitCode.OK)


def test_run_of_a_part_shows_what_ran() -> None:
    words = every()[ONE].words
    assert words not in "\n".join(tried(whole=False, left_out=ONE).lines())
    assert words in "\n".join(tried(whole=True, left_out=ONE).lines())


def test_run_of_a_few_shows_nothing() -> None:
    table = PromiseTable(COMBINATIONS, whole=False)
    table.expect("a case", ONE, "inprocess")
    table.note("a case", PASSED)
    assert table.lines() == []


def test_table_fits_the_terminal() -> None:
    lines = tried(whole=True).lines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[-1] == LEGEND
