"""What is promised: the tests of this folder, read without importing them.

python -m tests.conformance.promises --write docs/guarantees.md
"""

import argparse
import ast
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conformance.combinations import COMBINATIONS, flags, lacking

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parents[1]
#: The generated part of docs/guarantees.md lies between these.
BEGIN = "<!-- promises: written by python -m tests.conformance.promises -->"
END = "<!-- promises: end -->"


@dataclass(frozen=True, slots=True)
class Promise:
    """One test, whose name is the promise."""

    path: str  # of its file, from the project's folder
    name: str
    needs: tuple[str, ...]  # flags
    together: tuple[str, ...] = ()  # combinations it is about at once; () for each

    @property
    def words(self) -> str:
        """Return the name as a sentence."""
        return self.name.removeprefix("test_").replace("_", " ").capitalize()

    @property
    def address(self) -> str:
        """Return what pytest takes to run it."""
        return f"{self.path}::{self.name}"


@dataclass(frozen=True, slots=True)
class Chapter:
    """The promises of one file."""

    title: str
    promises: tuple[Promise, ...]


@cache
def chapters() -> list[Chapter]:
    """Return every file's promises, in the order of the files and in theirs."""
    return [
        chapter_of(file.read_text("utf-8"), file.relative_to(PROJECT).as_posix())
        for file in sorted(FOLDER.rglob("test_*.py"))
    ]


def every() -> dict[str, Promise]:
    """Return every promise by its address."""
    found = (promise for chapter in chapters() for promise in chapter.promises)
    return {promise.address: promise for promise in found}


def chapter_of(text: str, path: str) -> Chapter:
    """Read the promises in the text of a file."""
    module = ast.parse(text)
    title = (ast.get_docstring(module) or path).splitlines()[0]
    shared = list(_module_marks(module))
    return Chapter(
        title,
        tuple(
            _promise(path, node.name, [*shared, *node.decorator_list])
            for node in module.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ),
    )


def _promise(path: str, name: str, marks: Sequence[ast.expr]) -> Promise:
    needs, together = _given("needs", marks), _given("together", marks)
    return Promise(path, name, tuple(needs), tuple(together))


def _module_marks(module: ast.Module) -> Iterator[ast.expr]:
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "pytestmark":
            yield node.value


def _given(name: str, marks: Iterable[ast.expr]) -> Iterator[str]:
    """Find what pytest.mark.<name>("a word", ...) is given, alone or in a list."""
    called = f"pytest.mark.{name}"
    for node in (node for mark in marks for node in ast.walk(mark)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == called:
            yield from (ast.literal_eval(argument) for argument in node.args)


def written(text: str) -> str:
    """Return a page with its generated part made anew."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page must have a line {BEGIN} and a line {END}.")
    return "\n".join([f"{before}{BEGIN}", "", *_page(), f"{END}{after}"])


def _page() -> Iterator[str]:
    yield from _table(
        ("combination", *flags()),
        [(f"`{alias}`", *_yes_or_no(alias)) for alias in COMBINATIONS],
    )
    for chapter in chapters():
        yield from (f"### {chapter.title.rstrip('.')}", "")
        rows = [(p.words, f"`{p.address}`", _cannot(p)) for p in chapter.promises]
        yield from _table(("promise", "test", "say they cannot"), rows)


def _yes_or_no(alias: str) -> list[str]:
    return ["cannot" if lacking(alias, [flag]) else "yes" for flag in flags()]


def _cannot(promise: Promise) -> str:
    if promise.together:
        return f"(about {' and '.join(promise.together)} at once)"
    return ", ".join(alias for alias in COMBINATIONS if lacking(alias, promise.needs))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def main() -> None:
    """Write the page, or print what would be its generated part."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.promises")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a Markdown file")
    page: Path | None = parser.parse_args().write
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.test")
    if page is None:
        print("\n".join(_page()))  # noqa: T201  # what was asked for
    else:
        page.write_text(written(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
