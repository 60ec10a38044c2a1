"""The list of promises and docs/guarantees.md, which is written from it."""

import ast

import pytest

from core.backend import BaseBackend
from tests.conformance.combinations import flags, lacking
from tests.conformance.promises import FOLDER, PROJECT, chapter_of, every, written

PAGE = PROJECT / "docs" / "guarantees.md"
FILE = '''"""What it is about.

More.
"""

pytestmark = [pytest.mark.needs("server"), pytest.mark.slow]


@pytest.mark.needs("worker", "events")
def test_it_is_kept(stack): ...


@pytest.mark.together("one", "other")
def test_both_keep_it(both): ...


def made_up(stack): ...
'''


def test_guarantees_are_written_from_the_tests_as_they_are() -> None:
    again = f"python -m tests.conformance.promises --write {PAGE.relative_to(PROJECT)}"
    assert written(PAGE.read_text("utf-8")) == PAGE.read_text("utf-8"), again


def test_promise_is_read_with_its_needs() -> None:
    chapter = chapter_of(FILE, "tests/conformance/test_it.py")
    promise, other = chapter.promises
    assert (chapter.title, promise.words) == ("What it is about.", "It is kept")
    assert promise.needs == ("server", "worker", "events")
    assert promise.address == "tests/conformance/test_it.py::test_it_is_kept"
    assert (promise.together, other.together) == ((), ("one", "other"))


def test_page_without_the_promises_marker_is_refused() -> None:
    with pytest.raises(ValueError, match="must have a line"):
        written("# Guarantees\n")


def test_every_file_of_promises_says_what_it_is_about() -> None:
    silent = [
        file.name
        for file in FOLDER.rglob("test_*.py")
        if not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]
    assert silent == []


def test_every_promise_needs_only_flags_that_there_are() -> None:
    needed = {need for promise in every().values() for need in promise.needs}
    assert needed <= set(flags())


def test_every_flag_of_a_backend_is_checked_by_a_promise() -> None:
    text = (FOLDER / "test_flags.py").read_text()
    names = [name for name in dir(BaseBackend) if name.startswith("supports_")]
    assert [name for name in names if f"backend.{name}:" not in text] == []


def test_unknown_flag_is_refused() -> None:
    with pytest.raises(LookupError, match="there are events, publish, worker, server"):
        lacking("toy", ["sunshine"])
