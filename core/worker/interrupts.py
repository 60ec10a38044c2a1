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
            except Interrupt:
                # It came in the moment between the body's end and the lock.
                self._disarm(thread)

    def _disarm(self, thread: int) -> None:
        with self._lock:
            self._armed.discard(thread)
            _set(thread, None)

    def raise_in_all(self, kind: type[Interrupt]) -> int:
        """Raise `kind` in every body; return in how many."""
        with self._lock:
            for thread in self._armed:
                _set(thread, kind)
            return len(self._armed)


def _set(thread: int, kind: type[Interrupt] | None) -> None:
    exception = ctypes.py_object(kind) if kind else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
