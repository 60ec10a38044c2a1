"""The event loop of this process, on which the bodies of `async def` actors run."""

import asyncio
import contextlib
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, Generic, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import close_old_connections

from core.errors import Interrupt

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Seconds after which a waiting thread wakes: an interrupt does not reach it in a lock.
SLICE_SECONDS = 0.05
#: Seconds for an interrupted coroutine to clean up.
CLEAN_UP_SECONDS = 5.0

#: How many coroutines of the loop wait for the one that asks: 0 outside of it.
_depth: ContextVar[int] = ContextVar("switchyard_loop_depth", default=0)


class Loop:
    """One event loop in a thread of its own, started at its first use."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start anew: in a forked child the threads are gone."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        #: Where the ORM's calls run: one thread at each depth. asgiref's own is not
        #: there after a fork, and may be the one that waits for the coroutine.
        self._orm: dict[int, ThreadSensitiveContext] = defaultdict(
            ThreadSensitiveContext
        )

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(
                    target=_serve, args=(loop,), name="switchyard-loop", daemon=True
                )
                thread.start()
                self._loop, self._thread = loop, thread.ident or 0
            return self._loop

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop; return what it returns, raise what it raises.

        The caller's context variables are visible in it. An `Interrupt` that is raised
        in the calling thread cancels it, and comes out once it has cleaned up.
        """
        if threading.get_ident() == self._thread:
            coroutine.close()
            raise RuntimeError(
                "An async actor was performed inside a coroutine, which would wait"
                " for itself. Send it with `await actor.asend(...)`."
            )
        depth = _depth.get()
        call = _Call(coroutine, depth + 1, self._orm[depth])
        try:
            loop = self._running()
            loop.call_soon_threadsafe(call.start, loop)
            call.wait()
        except (Interrupt, KeyboardInterrupt) as interrupt:
            self._running().call_soon_threadsafe(call.cancel)
            if not call.has_ended_within(CLEAN_UP_SECONDS):
                logger.error("%s goes on after %r.", coroutine, interrupt)
            # Its cause says where the coroutine was.
            raise interrupt from call.take_error()
        return call.result()


class _Call(Generic[T]):
    """A coroutine on its way to the loop and back. Made by the thread that waits."""

    def __init__(
        self, coroutine: Coroutine[Any, Any, T], depth: int, orm: ThreadSensitiveContext
    ) -> None:
        self._coroutine = coroutine
        self._orm = orm
        self._context = copy_context()
        self._context.run(_depth.set, depth)
        self._context.run(SyncToAsync.thread_sensitive_context.set, orm)
        self._task: asyncio.Task[None] | None = None
        # A bare lock, held until the end: an interrupt may come in the middle of an
        # Event's wait, which then fails on a lock that it does not hold.
        self._going_on = threading.Lock()
        self._going_on.acquire()
        self._ended = False
        self._error: BaseException | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, on the loop."""
        # Not awaited: what the coroutine asks of that thread comes behind it, and
        # who asks nothing does not wait for those who do.
        executor = SyncToAsync.context_to_thread_executor.get(self._orm)
        if executor is not None:
            executor.submit(close_old_connections)
        self._task = loop.create_task(self._perform(), context=self._context)
        self._task.add_done_callback(self._end)

    async def _perform(self) -> None:
        try:
            self._value = await self._coroutine
        except BaseException as error:  # the actor's own code: anything may come out
            self._error = error

    def cancel(self) -> None:
        """Stop, on the loop."""
        if self._task is not None:
            self._task.cancel()
        else:  # the interrupt came before the start
            self._end()

    def _end(self, task: "asyncio.Task[None] | None" = None) -> None:
        self._coroutine.close()  # it may not even have begun
        # Said twice: an interrupt may come between taking the lock and being told.
        self._ended = True
        self._going_on.release()

    def wait(self) -> None:
        """Return when it has ended."""
        while not self.has_ended_within(SLICE_SECONDS):
            pass

    def has_ended_within(self, seconds: float) -> bool:
        """Wait up to `seconds`; return True if it has ended."""
        return self._ended or self._going_on.acquire(timeout=seconds)

    def result(self) -> T:
        """Return or raise, after the end."""
        error = self.take_error()
        if error is None:
            return self._value
        try:
            raise error
        finally:
            del error

    def take_error(self) -> BaseException | None:
        """Return what came out, and let go: its traceback leads to this object."""
        error, self._error = self._error, None
        return error


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        # A SystemExit of a task goes to who awaits it, and stops the loop besides.
        with contextlib.suppress(BaseException):
            loop.run_forever()


_loop = Loop()
os.register_at_fork(after_in_child=_loop.reset)

run = _loop.run
