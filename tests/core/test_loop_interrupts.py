"""Coroutines whose caller is interrupted."""

import asyncio
import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core import LeaseLost
from core.errors import Cancelled, TimeLimitExceeded
from core.worker import loop
from core.worker.interrupts import Interrupts
from tests.core.guarded import Guarded, is_in
from tests.services.waiting import in_time, wait_for


async def one() -> int:
    return 1


def interrupted(
    coroutine: Callable[[Guarded], Coroutine[Any, Any, Any]],
    kind: type[BaseException] = Cancelled,
) -> Guarded:
    """Run a coroutine in a guarded thread and interrupt it once it says it runs."""
    interrupts = Interrupts()
    guarded = Guarded(interrupts, lambda own: loop.run(coroutine(own)), key=1)
    assert interrupts.raise_in(1, kind)
    return guarded.end()


@pytest.mark.parametrize("kind", [TimeLimitExceeded, Cancelled, LeaseLost])
def test_interrupt_cancels_the_coroutine_and_waits_for_its_clean_up(
    kind: type[BaseException],
) -> None:
    async def body(guarded: Guarded) -> None:
        guarded.running.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.2)
            guarded.swallowed.append(RuntimeError("cleaned up"))

    guarded = interrupted(body, kind)
    assert guarded.kinds == [kind]
    assert len(guarded.swallowed) == 1
    shown = "".join(traceback.format_exception(guarded.raised[0]))
    assert "await asyncio.sleep(60)" in shown


def test_coroutine_that_swallows_its_cancellation_ends_as_interrupted() -> None:
    async def body(guarded: Guarded) -> str:
        guarded.running.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "done"

    assert interrupted(body).kinds == [Cancelled]


def test_coroutine_that_goes_on_is_left_behind_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def deaf(guarded: Guarded) -> None:
        guarded.running.set()
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)

    over = threading.Event()
    monkeypatch.setattr(loop, "CLEAN_UP_SECONDS", 0.2)
    try:
        assert interrupted(deaf).kinds == [Cancelled]
        assert loop.run(one()) == 1
    finally:
        over.set()
    assert "deaf" in caplog.text
    assert "goes on" in caplog.text


def test_coroutine_that_is_interrupted_before_it_begins_never_does() -> None:
    async def block() -> None:
        blocked.set()
        gate.wait(20)

    def waiting(guarded: Guarded) -> None:
        guarded.running.set()
        loop.run(begin())

    async def begin() -> None:
        begun.append(1)

    blocked, gate, begun = threading.Event(), threading.Event(), []
    blocker = threading.Thread(target=loop.run, args=(block(),))
    blocker.start()
    assert blocked.wait(10)
    interrupts = Interrupts()
    guarded = Guarded(interrupts, waiting, key=1)
    interrupts.raise_in(1, Cancelled)
    wait_for(lambda: is_in(guarded.ident, "run", "has_ended_within"))
    gate.set()
    assert guarded.end().kinds == [Cancelled]
    assert begun == []


def test_interrupt_that_meets_the_end_of_the_coroutine_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(guarded: Guarded) -> None:
        guarded.running.set()
        while not over.is_set():
            await asyncio.sleep(0.01)

    over, interrupts = threading.Event(), Interrupts()
    # It is not heard of before the wait is over.
    monkeypatch.setattr(loop, "SLICE_SECONDS", 30)
    monkeypatch.setattr(loop, "CLEAN_UP_SECONDS", 15)
    guarded = Guarded(interrupts, lambda own: loop.run(body(own)), key=1)
    wait_for(lambda: is_in(guarded.ident, "wait", "has_ended_within"))
    assert interrupts.raise_in(1, Cancelled)
    started = time.monotonic()
    over.set()
    assert guarded.end().kinds == [Cancelled]
    in_time(time.monotonic() - started, 10, "the end")
