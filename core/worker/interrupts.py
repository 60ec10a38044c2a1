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
from weakref import WeakSet

from core.errors import Interrupt, Shutdown, TimeLimitExceeded

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
    #: The body in which this one runs: delivered in process, while sending.
    outer: "Armed | None"
    #: time.monotonic() from which it counts as stuck.
    stuck: float | None = None
    #: What was raised in it: each kind once, or clean-ups would be interrupted.
    told: tuple[type[Interrupt], ...] = ()
    over: bool = False

    def next(self) -> float | None:
        """Return when there is something to do about it."""
        return self.stuck if self.limit is None else self.limit

    def tell(self, kind: type[Interrupt]) -> None:
        """Raise `kind` in it, unless it has ended or heard that before."""
        if not self.over and kind not in self.told:
            self.told += (kind,)
            _interrupt(self.thread, kind)


class Interrupts:
    """The bodies that run in this process, by thread."""

    def __init__(self, stuck_seconds: float = 10.0) -> None:
        self._stuck_seconds = stuck_seconds
        self.reset()
        _made.add(self)

    def reset(self) -> None:
        """Start anew: in a forked child the threads are gone."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        #: The innermost body of each thread.
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
        for `raise_in`. A body that runs another one inside it is interrupted when
        that one has ended.
        """
        limit = None if seconds is None else time.monotonic() + seconds
        thread = threading.get_ident()
        outer = self._armed.get(thread)
        mine = Armed(thread, key, limit, on_shutdown, on_stuck, outer)
        try:
            self._arm(mine)
            return body()
        finally:
            # What comes from here on comes too late: nobody is there for it. It may
            # be two: one that waits to be delivered, and one that is being raised.
            mine.over = True
            try:
                try:
                    self._disarm(mine)
                except Interrupt:
                    self._disarm(mine)
            except Interrupt:
                self._disarm(mine)
            if outer is not None:
                self._arm(outer)

    def _arm(self, body: Armed) -> None:
        with self._lock:
            self._armed[body.thread] = body
            due = body.next()
            if due is None:
                return
            if self._timer is None:
                timer = threading.Thread(
                    target=self._watch, name="switchyard-limits", daemon=True
                )
                timer.start()
                self._timer = timer
            if due < self._wakes:
                self._changed.notify()

    def _disarm(self, body: Armed) -> None:
        # Whoever was just raising something has done so once the lock is free.
        with self._lock:
            self._armed.pop(body.thread, None)
        _moment()

    def raise_in_all(self, kind: type[Interrupt]) -> int:
        """Raise `kind` in every body; return in how many."""
        return self._raise(kind, lambda body: True)

    def raise_in(self, key: object, kind: type[Interrupt]) -> bool:
        """Raise `kind` in the body of that key; say whether it runs here.

        Calling it again does nothing more to a body that goes on.
        """
        return self._raise(kind, lambda body: body.key == key) > 0

    def keys(self) -> list[object]:
        """Return the keys of the bodies that run."""
        with self._lock:
            return [body.key for body in self._armed.values() if not body.over]

    def shut_down(self, kind: type[Interrupt] = Shutdown) -> int:
        """Raise `kind` in the bodies that asked for it; return in how many.

        Not in those that are on their way out, since it says nothing new to them.
        """
        return self._raise(kind, lambda body: body.on_shutdown and not body.told)

    def _raise(self, kind: type[Interrupt], wanted: Callable[[Armed], bool]) -> int:
        with self._lock:
            running = [body for body in self._armed.values() if not body.over]
            bodies = [body for body in running if wanted(body)]
            for body in bodies:
                body.tell(kind)
            return len(bodies)

    def _watch(self) -> None:
        while True:
            for body in self._look():
                self._report(body)

    def _look(self) -> list[Armed]:
        """Interrupt whose time is up; return the stuck, or wait if there are none."""
        with self._lock:
            now = time.monotonic()
            stuck = [body for body in self._armed.values() if self._due(body, now)]
            if not stuck:
                times = [body.next() for body in self._armed.values()]
                self._wakes = min(
                    (at for at in times if at is not None), default=float("inf")
                )
                pause = max(self._wakes - now, 0)
                self._changed.wait(min(pause, threading.TIMEOUT_MAX))
            return stuck

    def _due(self, body: Armed, now: float) -> bool:
        """Interrupt a body whose time is up; say whether it is found stuck."""
        if body.limit is not None and now >= body.limit:
            body.limit = None
            body.stuck = now + self._stuck_seconds
            body.tell(TimeLimitExceeded)
        elif body.stuck is not None and now >= body.stuck:
            body.stuck = None
            return not body.over
        return False

    def _report(self, body: Armed) -> None:
        try:
            if body.on_stuck is not None:
                body.on_stuck()
        except BaseException:  # it is core's, and this thread must go on
            logger.exception("Could not deal with a body that is stuck.")


#: Every `Interrupts`, for a fork.
_made: WeakSet[Interrupts] = WeakSet()


def _forked() -> None:
    for interrupts in _made:
        interrupts.reset()


os.register_at_fork(after_in_child=_forked)


def _interrupt(thread: int, kind: type[Interrupt]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(kind)
    )


def _moment() -> None:
    """Let an exception that was raised and not yet delivered come out: here.

    Taking it back with a NULL would do so too, but leaves CPython 3.11 looking for an
    exception at every call from then on; under a profiler it looks for ever.
    """
