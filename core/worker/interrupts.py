"""Raising an exception in bodies that run in other threads.

Armed only inside the body and under a lock, so that none hits core's own settling.
It cannot stop a C call: the exception waits until Python code runs again.

Source: CPython, `PyThreadState_SetAsyncExc`; Dramatiq 2.2, `middleware.threading`.
"""

import ctypes
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core.errors import Interrupt, TimeLimitExceeded

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Armed:
    """A body at work, and when it is to be interrupted."""

    thread: int
    key: object
    #: time.monotonic() of its time limit; None: no limit, or told already.
    limit: float | None
    on_shutdown: bool
    on_stuck: Callable[[], None] | None
    #: time.monotonic() from which it counts as stuck.
    stuck: float | None = None

    def next(self) -> float:
        """Return when there is something to do about it."""
        times = [at for at in (self.limit, self.stuck) if at is not None]
        return min(times, default=float("inf"))


class Interrupts:
    """The bodies that run in this process, by thread."""

    def __init__(self, stuck_seconds: float = 10.0) -> None:
        self._stuck_seconds = stuck_seconds
        self._reset()

    def _reset(self) -> None:
        """Start anew: in a forked child the threads are gone."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._armed: dict[int, Armed] = {}
        self._timer: threading.Thread | None = None
        #: When the timer looks again, time.monotonic().
        self._wakes = float("inf")

    def guard(
        self,
        body: Callable[[], T],
        *,
        key: object = None,
        seconds: float | None = None,
        on_shutdown: bool = False,
        on_stuck: Callable[[], None] | None = None,
    ) -> T:
        """Call `body` in this thread; until it returns it can be interrupted.

        After `seconds` TimeLimitExceeded is raised in it; None: never. If it goes on
        all the same, `on_stuck` is called, once, from another thread. `key` names it
        for `raise_in`.
        """
        if self._pid != os.getpid():
            self._reset()
        limit = None if seconds is None else time.monotonic() + seconds
        mine = Armed(threading.get_ident(), key, limit, on_shutdown, on_stuck)
        self._arm(mine)
        try:
            return body()
        finally:
            try:
                self._disarm(mine)
                _moment()
            except Interrupt:
                # It came between the body's end and now: nobody is there for it.
                self._disarm(mine)

    def _arm(self, body: Armed) -> None:
        with self._lock:
            self._armed[body.thread] = body
            if body.limit is None:
                return
            if self._timer is None:
                self._timer = threading.Thread(
                    target=self._watch, name="switchyard-limits", daemon=True
                )
                self._timer.start()
            if body.limit < self._wakes:
                self._changed.notify()

    def _disarm(self, body: Armed) -> None:
        with self._lock:
            self._armed.pop(body.thread, None)

    def raise_in_all(self, kind: type[Interrupt]) -> int:
        """Raise `kind` in every body; return in how many."""
        return self._raise(kind, lambda body: True)

    def raise_in(self, key: object, kind: type[Interrupt]) -> bool:
        """Raise `kind` in the body of that key; say whether it runs here."""
        return self._raise(kind, lambda body: body.key == key) > 0

    def shut_down(self, kind: type[Interrupt]) -> int:
        """Raise `kind` in the bodies that asked for it; return in how many."""
        return self._raise(kind, lambda body: body.on_shutdown)

    def _raise(self, kind: type[Interrupt], wanted: Callable[[Armed], bool]) -> int:
        with self._lock:
            bodies = [body for body in self._armed.values() if wanted(body)]
            for body in bodies:
                _interrupt(body.thread, kind)
            return len(bodies)

    def _watch(self) -> None:
        while True:
            with self._lock:
                now = time.monotonic()
                stuck = [body for body in self._armed.values() if self._due(body, now)]
            for body in stuck:
                self._report(body)
            with self._lock:
                self._wakes = min(
                    (body.next() for body in self._armed.values()),
                    default=float("inf"),
                )
                pause = self._wakes - time.monotonic()
                if pause > 0:
                    self._changed.wait(None if pause == float("inf") else pause)

    def _due(self, body: Armed, now: float) -> bool:
        """Interrupt a body whose time is up; say whether it is found stuck."""
        if body.limit is not None and now >= body.limit:
            body.limit = None
            body.stuck = now + self._stuck_seconds
            _interrupt(body.thread, TimeLimitExceeded)
        elif body.stuck is not None and now >= body.stuck:
            body.stuck = None
            return True
        return False

    def _report(self, body: Armed) -> None:
        try:
            if body.on_stuck is not None:
                body.on_stuck()
        except Exception:  # it is core's, and this thread must go on
            logger.exception("Could not deal with a body that is stuck.")


def _interrupt(thread: int, kind: type[Interrupt]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(kind)
    )


def _moment() -> None:
    """Let an exception that was raised and not yet delivered come out: here.

    Taking it back with a NULL would do so too, but leaves CPython 3.11 looking for an
    exception at every call from then on; under a profiler it looks for ever.
    """
