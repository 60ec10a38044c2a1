"""Exceptions raised from outside in a running body."""

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from core import LeaseLost
from core.errors import Cancelled, Interrupt, Shutdown, TimeLimitExceeded
from core.worker.interrupts import Interrupts
from tests.core.guarded import Guarded, busy_for, deaf, endless, sleeping, waiting
from tests.services.waiting import wait_for

PROFILED = """
import cProfile
from core.worker.interrupts import Interrupts

def body():
    return 1

interrupts = Interrupts()
with cProfile.Profile():
    for _ in range(100):
        interrupts.guard(body)
"""

FORKED = """
import os, signal, threading
from core.errors import Cancelled, TimeLimitExceeded
from core.worker.interrupts import Interrupts

def endless():
    running.set()
    while True:
        pass

def limited():
    try:
        interrupts.guard(endless, seconds=0.1)
    except TimeLimitExceeded:
        return True

interrupts, running = Interrupts(), threading.Event()
assert limited()
running.clear()
threading.Thread(target=interrupts.guard, args=(endless,), daemon=True).start()
running.wait()
interrupts._lock.acquire()  # as another thread may, at just that moment
child = os.fork()
if child == 0:
    signal.alarm(10)
    assert interrupts.raise_in_all(Cancelled) == 0
    os._exit(0 if limited() else 1)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture
def until() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("program", [PROFILED, FORKED], ids=["profiled", "forked"])
def test_bodies_can_run_under_a_profiler_and_after_a_fork(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


@pytest.mark.parametrize("kind", [TimeLimitExceeded, Shutdown, Cancelled, LeaseLost])
def test_interrupt_keeps_its_words_between_processes(kind: type[Interrupt]) -> None:
    error = pickle.loads(pickle.dumps(kind("why")))  # noqa: S301  # our own
    assert (type(error), str(error), str(kind())) == (kind, "why", "")


@pytest.mark.parametrize("body", [endless, waiting])
def test_running_body_is_interrupted(body: Callable[[Guarded], None]) -> None:
    interrupts = Interrupts()
    guarded = Guarded(interrupts, body)
    assert interrupts.raise_in_all(LeaseLost) == 1
    assert guarded.end().kinds == [LeaseLost]


def test_only_the_body_of_that_key_is_interrupted(until: threading.Event) -> None:
    interrupts = Interrupts()
    one = Guarded(interrupts, waiting, key="one")
    other = Guarded(interrupts, deaf(until), key="other")
    assert interrupts.raise_in("one", Cancelled)
    assert one.end().kinds == [Cancelled]
    assert not interrupts.raise_in("one", Cancelled)
    until.set()
    assert other.end().swallowed == []


def test_shutdown_reaches_those_who_asked_and_do_not_know(
    until: threading.Event,
) -> None:
    interrupts = Interrupts()
    asked = Guarded(interrupts, waiting, on_shutdown=True)
    cancelled = Guarded(interrupts, deaf(until), on_shutdown=True, key="cancelled")
    others = Guarded(interrupts, deaf(until))
    assert interrupts.raise_in("cancelled", Cancelled)
    assert interrupts.shut_down() == 1
    assert asked.end().kinds == [Shutdown]
    until.set()
    assert [type(error) for error in cancelled.end().swallowed] == [Cancelled]
    assert others.end().swallowed == []


@pytest.mark.parametrize("body", [endless, waiting, sleeping])
def test_body_is_interrupted_at_its_limit(body: Callable[[Guarded], None]) -> None:
    interrupts = Interrupts()
    started = time.monotonic()
    guarded = Guarded(interrupts, body, seconds=0.2).end()
    assert guarded.kinds == [TimeLimitExceeded]
    assert guarded.swallowed == []
    assert time.monotonic() - started >= 0.2


def test_short_limit_does_not_wait_for_a_longer_one(until: threading.Event) -> None:
    interrupts = Interrupts()
    patient = Guarded(interrupts, deaf(until), seconds=600)
    assert Guarded(interrupts, endless, seconds=0.05).end().kinds == [TimeLimitExceeded]
    until.set()
    assert patient.end().swallowed == []


def test_limits_of_many_bodies_take_one_thread() -> None:
    interrupts, threads = Interrupts(), set(threading.enumerate())
    for _ in range(100):
        interrupts.guard(lambda: None, seconds=2)
    assert len(set(threading.enumerate()) - threads) == 1


def test_limit_ends_with_its_body() -> None:
    interrupts = Interrupts()
    interrupts.guard(lambda: None, seconds=2)
    interrupts.guard(busy_for(2.2))


def test_each_interrupt_is_raised_once(
    until: threading.Event,
) -> None:
    interrupts = Interrupts()
    guarded = Guarded(interrupts, deaf(until), key=1, seconds=0.5)
    wait_for(lambda: guarded.swallowed)
    for _ in range(3):
        assert interrupts.raise_in(1, Cancelled)
        wait_for(lambda: len(guarded.swallowed) > 1)
    # Its limit is long past, and another body has met its own since.
    Guarded(interrupts, endless, seconds=0.2).end()
    until.set()
    told = [type(error) for error in guarded.end().swallowed]
    assert told == [TimeLimitExceeded, Cancelled]
