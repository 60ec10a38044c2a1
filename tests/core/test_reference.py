"""The reference says what the code does."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from inspect import signature

import pytest

from backends.celery import CeleryBackend
from backends.dramatiq import DramatiqBackend
from backends.inprocess import InProcessBackend
from core.backend import BaseBackend
from core.broker.config import DEFAULTS
from core.options.retention import DAY, Retention
from core.options.timing import Timing
from tests.core import commands_reference
from tests.core.reference import PAGE, page

SETTINGS = PAGE.with_name("settings.md").read_text()


def rows(text: str) -> Iterator[list[str]]:
    """Read the rows of a table: their cells, without what marks them as code."""
    for line in re.findall(r"^\| `.*\|$", text, re.M):
        yield [cell.strip(" `") for cell in line.strip("|").split("|")]


def section(title: str) -> str:
    return SETTINGS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_reference_of_the_options_is_up_to_date() -> None:
    # python -m tests.core.reference writes it anew.
    assert PAGE.read_text() == page()


def test_reference_of_the_commands_is_up_to_date() -> None:
    # python -m tests.core.commands_reference writes it anew.
    assert commands_reference.PAGE.read_text() == commands_reference.page()


def test_reference_of_the_settings_has_every_key_and_its_default() -> None:
    told = {row[0]: row[1] for row in rows(SETTINGS.split("\n## ")[0])}
    assert told == {name: repr(value) for name, value in DEFAULTS.items()}


@pytest.mark.parametrize("kind", [CeleryBackend, DramatiqBackend, InProcessBackend])
def test_reference_of_the_options_of_a_backend_has_every_key_and_its_default(
    kind: type[BaseBackend],
) -> None:
    text = section("OPTIONS").split(f".{kind.__name__}`:\n")[1].split("\nOf ")[0]
    taken = signature(kind).parameters.values()
    assert {row[0]: row[1] for row in rows(text)} == {
        one.name: repr(one.default) for one in taken if one.kind is one.KEYWORD_ONLY
    }


def test_reference_of_the_timing_has_every_key_and_its_default() -> None:
    told = {row[0]: float(row[1]) for row in rows(section("TIMING"))}
    assert told == asdict(Timing())


def test_reference_of_the_retention_has_every_key_and_its_default() -> None:
    told = {
        kind: (float(age.removesuffix(" days")), count and int(count.replace(",", "")))
        for kind, age, count, _ in rows(section("RETENTION"))
    }
    assert told == {
        kind: ((keep["age"] or 0) / DAY, keep["count"] or "")
        for kind, keep in asdict(Retention()).items()
    }
