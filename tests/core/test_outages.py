"""What is away is told once, and once that it is back."""

import logging

import pytest

from core.outages import Outage

logger = logging.getLogger(__name__)


@pytest.fixture
def outage() -> Outage:
    return Outage(logger, "Cannot fetch", "Fetching again")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger.name)
    return caplog


def test_outage_is_logged_once(outage: Outage, told: pytest.LogCaptureFixture) -> None:
    outage.end()
    for _ in range(3):
        outage.begin(OSError("refused"))
    assert outage
    assert told.messages == ["Cannot fetch: refused"]
    for _ in range(3):
        outage.end()
    assert not outage
    assert len(told.messages) == 2
    assert told.messages[1].startswith("Fetching again, after 0.0 s")


def test_other_errors_are_reported_too(
    outage: Outage, told: pytest.LogCaptureFixture
) -> None:
    for error in (OSError("refused"), ValueError("odd"), OSError("refused")):
        outage.begin(error)
    assert told.messages == ["Cannot fetch: refused", "Cannot fetch: odd"]


def test_next_outage_is_logged_again(
    outage: Outage, told: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        outage.begin(OSError("refused"))
        outage.end()
    assert len(told.messages) == 4


def test_outage_ends_when_nobody_misses_the_service(
    outage: Outage, told: pytest.LogCaptureFixture
) -> None:
    for who in ("one", "two"):
        outage.begin(OSError("refused"), who)
    outage.end("three")
    outage.end("one")
    assert not outage.is_missed_by("one")
    assert outage.is_missed_by("two")
    assert len(told.messages) == 1
    outage.end("two")
    assert len(told.messages) == 2


def test_programming_error_is_logged_with_its_traceback(
    outage: Outage, told: pytest.LogCaptureFixture
) -> None:
    outage.begin(KeyError("x"), expected=False)
    assert told.records[0].levelno == logging.ERROR
    assert told.records[0].exc_info
