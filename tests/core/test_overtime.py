"""Bodies that go on after their interrupt, or end while it comes."""

import sys
import threading
import weakref
from collections.abc import Iterator
from types import FrameType

import pytest

from core.errors import Cancelled, Interrupt, TimeLimitExceeded
from core.worker.interrupts import Interrupts
from tests.core.guarded import SLEEP, Guarded, busy_for, deaf, endless, is_in, sleeping
from tests.services.waiting import wait_for

BODIES = 30_000


@pytest.fixture
def until() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Switch threads as often as it goes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_body_that_goes_on_is_reported_once_and_from_another_thread(
    until: threading.Event,
) -> None:
    interrupts, reports = Interrupts(stuck_seconds=0.1), []
    guarded = Guarded(
        interrupts,
        deaf(until),
        seconds=0.5,
        on_stuck=lambda: reports.append(threading.current_thread().name),
    )
    wait_for(lambda: reports)
    Guarded(interrupts, endless, seconds=0.3).end()
    until.set()
    guarded.end()
    assert reports == ["switchyard-limits"]


def test_body_that_ends_is_not_reported() -> None:
    interrupts, reports = Interrupts(stuck_seconds=2), []
    Guarded(interrupts, endless, seconds=0.1, on_stuck=lambda: reports.append(1)).end()
    interrupts.guard(busy_for(2.2), on_stuck=lambda: reports.append(2))
    assert reports == []


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1)])
def test_limits_go_on_after_a_report_that_fails(
    until: threading.Event, error: BaseException
) -> None:
    def broken() -> None:
        reports.append(1)
        raise error

    interrupts, reports = Interrupts(stuck_seconds=0.05), []
    Guarded(interrupts, deaf(until), seconds=0.5, on_stuck=broken)
    wait_for(lambda: reports)
    assert Guarded(interrupts, endless, seconds=0.1).end().kinds == [TimeLimitExceeded]


def test_body_that_has_ended_is_not_interrupted() -> None:
    interrupts = Interrupts()
    assert interrupts.guard(lambda: 1, key=1) == 1
    assert interrupts.raise_in_all(Cancelled) == 0
    assert not interrupts.raise_in(1, Cancelled)


def test_nothing_is_kept_of_a_body_that_has_ended() -> None:
    interrupts, key = Interrupts(), threading.Event()
    kept = weakref.ref(key)
    interrupts.guard(lambda: None, key=key)
    del key
    assert kept() is None


def test_error_of_a_body_comes_out_and_leaves_nothing_behind() -> None:
    interrupts = Interrupts()
    with pytest.raises(ZeroDivisionError):
        interrupts.guard(lambda: 1 / 0)
    assert interrupts.raise_in_all(Cancelled) == 0


def test_interrupt_that_comes_too_late_is_not_heard_of() -> None:
    """It is held up, by a profiler, between the decision and the deed."""
    interrupts, body_thread = Interrupts(), threading.get_ident()
    raising, raised = threading.Event(), []

    def hold_up(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "_interrupt":
            raising.set()
            wait_for(lambda: is_in(body_thread, "_disarm"))

    def work() -> None:
        sys.setprofile(hold_up)
        raised.append(interrupts.raise_in("late", Cancelled))
        sys.setprofile(None)

    def body() -> str:
        threading.Thread(target=work).start()
        raising.wait(10)
        return "ended"

    assert interrupts.guard(body, key="late") == "ended"
    assert raised == [True]


@pytest.mark.usefixtures("_hasty")
def test_interrupts_are_raised_only_in_bodies() -> None:
    interrupts, stop = Interrupts(), threading.Event()
    ended, late = False, 0

    def body() -> None:
        nonlocal ended
        ended = True

    def hammer() -> None:
        while not stop.wait(1e-5):
            interrupts.raise_in_all(Cancelled)

    threading.Thread(target=hammer, daemon=True).start()
    try:
        for _ in range(BODIES):
            ended = False
            try:
                interrupts.guard(body)
            except Interrupt:
                late += ended
    finally:
        stop.set()
    assert late == 0


def test_body_that_runs_another_one_inside_keeps_its_limit() -> None:
    interrupts = Interrupts()

    def outer(guarded: Guarded) -> None:
        interrupts.guard(lambda: None, key="inner")
        endless(guarded)

    guarded = Guarded(interrupts, outer, key="outer", seconds=0.2)
    assert not interrupts.raise_in("inner", Cancelled)
    assert guarded.end().kinds == [TimeLimitExceeded]


def test_inner_body_is_not_interrupted_in_place_of_the_outer_one() -> None:
    interrupts, inner = Interrupts(), []

    def outer(guarded: Guarded) -> None:
        interrupts.guard(lambda: sleeping(guarded))
        inner.append("ended")
        endless(guarded)

    guarded = Guarded(interrupts, outer, seconds=SLEEP / 2).end()
    assert guarded.kinds == [TimeLimitExceeded]
    assert len(guarded.swallowed) == 1  # the inner one went on after its sleep
