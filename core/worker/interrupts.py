"""Raising an exception in bodies that run in other threads.

Armed only inside the body and under a lock, so that none hits core's own settling.
It cannot stop a C call: the exception waits until Python code runs again.

Source: CPython, `PyThreadState_SetAsyncExc`; Dramatiq 2.2, `middleware.threading`.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

from core.errors import Interrupt


class Interrupts:
    """The bodies that run in this process, by thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: set[int] = set()

    def guard(self, body: Callable[[], Any]) -> Any:
        """Call `body`; until it returns, `raise_in_all` reaches it."""
        thread = threading.get_ident()
        with self._lock:
            self._armed.add(thread)
        try:
            return body()
        finally:
            try:
                self._disarm(thread)
                _moment()
            except Interrupt:
                # It came between the body's end and now: nobody is there for it.
                self._disarm(thread)

    def _disarm(self, thread: int) -> None:
        with self._lock:
            self._armed.discard(thread)

    def raise_in_all(self, kind: type[Interrupt]) -> int:
        """Raise `kind` in every body; return in how many."""
        with self._lock:
            for thread in self._armed:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(kind)
                )
            return len(self._armed)


def _moment() -> None:
    """Let an exception that was raised and not yet delivered come out: here.

    Taking it back with a NULL would do so too, but leaves CPython 3.11 looking for an
    exception at every call from then on; under a profiler it looks for ever.
    """
