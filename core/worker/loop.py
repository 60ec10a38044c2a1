"""The event loop of this process, on which the bodies of `async def` actors run."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waiting
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from core.errors import Interrupt

#: A thread that waits wakes so often: an interrupt does not reach it in a lock.
SLICE_SECONDS = 0.05
#: An interrupted coroutine gets so long to clean up.
CLEAN_UP_SECONDS = 5.0


class Loop:
    """One event loop in a thread of its own, started at its first use."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._pid != os.getpid():
            self._reset()
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._loop.run_forever, name="switchyard-loop", daemon=True
                ).start()
            return self._loop

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop; return what it returns, raise what it raises.

        The caller's context variables are visible in it. An `Interrupt` that is raised
        in the calling thread cancels it, and comes out once it has cleaned up.
        """
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(
            _contained(coroutine, ended), self._running()
        )
        try:
            outcome = _wait(future)
        except Interrupt:
            future.cancel()
            ended.wait(CLEAN_UP_SECONDS)
            raise
        if outcome.error is not None:
            raise outcome.error
        return outcome.value


@dataclass(slots=True)
class _Outcome:
    """How a coroutine ended; asyncio lets a SystemExit through, into the loop."""

    value: Any = None
    error: BaseException | None = None


async def _contained(
    coroutine: Coroutine[Any, Any, Any], ended: threading.Event
) -> _Outcome:
    try:
        # The ORM's calls run in one thread, whose connections nobody else looks after.
        await sync_to_async(close_old_connections)()
        return _Outcome(value=await coroutine)
    except BaseException as error:  # the actor's own code: anything may come out
        return _Outcome(error=error)
    finally:
        ended.set()


def _wait(future: "Future[_Outcome]") -> _Outcome:
    while True:
        try:
            return future.result(SLICE_SECONDS)
        except Waiting:
            if future.done():
                raise


_loop = Loop()
run = _loop.run
