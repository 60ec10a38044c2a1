"""Coroutines that worker threads run on the one event loop of their process."""

import asyncio
import contextlib
import gc
import subprocess
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from core import current_run
from core.worker import loop
from core.worker.current import Attempt, CurrentRun, performing
from tests.services.waiting import in_time

ATTEMPT = Attempt("7", 1, "test.actor", "default", "default")
FORKED = """
import os, signal
from asgiref.sync import sync_to_async
from django.conf import settings
from core.worker import loop

async def body():
    return await sync_to_async(os.getpid)()

settings.configure()
assert loop.run(body()) == os.getpid()
loop._loop._lock.acquire()  # as another thread may, at just that moment
child = os.fork()
if child == 0:
    signal.alarm(10)
    os._exit(0 if loop.run(body()) == os.getpid() else 1)
assert os.waitpid(child, 0)[1] == 0
"""


async def one() -> int:
    return 1


def test_coroutine_sees_the_run_of_its_caller() -> None:
    async def body() -> str:
        await asyncio.sleep(0)
        return current_run().id

    with performing(CurrentRun(ATTEMPT, None, print, print)):
        assert loop.run(body()) == "7"


def test_coroutines_of_several_threads_run_side_by_side() -> None:
    everyone = asyncio.Barrier(4)

    async def body() -> int:
        await everyone.wait()
        return threading.get_ident()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: loop.run(body()), range(4)))) == 1


def test_caller_goes_on_as_soon_as_its_coroutine_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 30)
    started = time.monotonic()
    assert loop.run(one()) == 1
    in_time(time.monotonic() - started, 10, "the end")


@pytest.mark.parametrize(
    "error",
    [ValueError("why"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
def test_error_of_a_coroutine_comes_out_and_the_loop_goes_on(
    error: BaseException,
) -> None:
    async def body() -> None:
        raise error

    async def thread() -> int:
        return threading.get_ident()

    before = loop.run(thread())
    with pytest.raises(type(error)):
        loop.run(body())
    assert loop.run(thread()) == before


def test_loop_survives_what_a_coroutine_does_to_it() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def body() -> None:
        asyncio.get_running_loop().stop()
        with contextlib.suppress(SystemExit):
            await asyncio.create_task(leave())

    loop.run(body())
    assert loop.run(one()) == 1


def test_traceback_leads_into_the_coroutine_and_keeps_nothing_alive() -> None:
    class Large:
        pass

    async def body() -> None:
        kept.append(weakref.ref(large := Large()))
        raise ValueError(large.__class__.__name__)

    def shown() -> str:
        try:
            loop.run(body())
        except ValueError:
            return traceback.format_exc()
        return ""

    kept: list[weakref.ref[Large]] = []
    gc.disable()
    try:
        text = shown()
        assert "in shown" in text
        assert "raise ValueError(large.__class__.__name__)" in text
        assert loop.run(one()) == 1  # the loop has let go of its last task
        assert kept[0]() is None
    finally:
        gc.enable()


def test_loop_and_the_orm_start_anew_after_a_fork() -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=30)


@pytest.mark.django_db(transaction=True)
def test_stale_connection_is_closed_before_the_next_coroutine() -> None:
    def open_stale() -> object:
        connection.ensure_connection()
        connection.close_at = time.monotonic()
        return connection.connection

    def opened() -> object:
        return connection.connection

    async def body(function: Callable[[], object]) -> object:
        return await sync_to_async(function)()

    stale = loop.run(body(open_stale))
    assert stale is not None
    assert loop.run(body(opened)) is None


def test_coroutine_does_not_wait_for_the_orm_calls_of_others() -> None:
    async def slow() -> None:
        await sync_to_async(lambda: (busy.set(), gate.wait(20)))()

    busy, gate = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(loop.run, slow())
        try:
            assert busy.wait(10)
            assert loop.run(asyncio.wait_for(one(), 10)) == 1
            assert not gate.is_set()
        finally:
            gate.set()


@pytest.mark.parametrize("run", [loop.run, asyncio.run])
def test_coroutine_can_wait_for_a_thread_that_runs_another_one(
    run: Callable[[Coroutine[Any, Any, int]], int],
) -> None:
    """As `await actor.asend()` does when an async actor is performed in process."""

    async def inner() -> int:
        return await sync_to_async(lambda: 1)()

    async def outer() -> int:
        return await sync_to_async(lambda: loop.run(inner()))()

    assert run(asyncio.wait_for(outer(), 10)) == 1


def test_coroutine_that_would_wait_for_itself_is_refused() -> None:
    async def body() -> None:
        loop.run(one())

    with pytest.raises(RuntimeError, match="asend"):
        loop.run(body())
