"""Bodies that run guarded, each in a thread of its own, and what became of them."""

import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from core.errors import Interrupt
from core.worker.interrupts import Interrupts

#: `sleeping` sleeps for so long, s.
SLEEP = 1.0


class Guarded:
    """A body that runs guarded in a thread of its own."""

    def __init__(
        self, interrupts: Interrupts, body: Callable[[], Any], **options: Any
    ) -> None:
        self.raised: list[BaseException] = []
        self.swallowed: list[BaseException] = []
        self.running = threading.Event()
        self._call = lambda: interrupts.guard(lambda: body(self), **options)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.ident = self._thread.ident or 0
        assert self.running.wait(10)

    def _work(self) -> None:
        try:
            self._call()
        except BaseException as error:
            self.raised.append(error)
        finally:
            self.running.set()  # also if it was interrupted before its first line

    @property
    def kinds(self) -> list[type[BaseException]]:
        return [type(error) for error in self.raised]

    def end(self) -> "Guarded":
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self


def endless(guarded: Guarded) -> None:
    guarded.running.set()
    while True:
        pass


def waiting(guarded: Guarded) -> None:
    guarded.running.set()
    while True:
        threading.Event().wait(0.02)


def sleeping(guarded: Guarded) -> None:
    guarded.running.set()
    time.sleep(SLEEP)
    guarded.swallowed.append(AssertionError("it went on after its sleep"))


def busy_for(seconds: float) -> Callable[[], object]:
    """Return a body that takes so long and can be interrupted."""
    return lambda: threading.Event().wait(seconds)


def deaf(until: threading.Event) -> Callable[[Guarded], None]:
    """Return a body that goes on, whatever it hears, until it may end."""

    def body(guarded: Guarded) -> None:
        guarded.running.set()
        while not until.is_set():
            try:
                until.wait(0.01)
            except Interrupt as error:
                guarded.swallowed.append(error)

    return body


def is_in(thread: int, *functions: str) -> bool:
    """Say whether a thread stands just there: the last is the innermost."""
    frame: FrameType | None = sys._current_frames()[thread]
    for function in reversed(functions):
        if frame is None or frame.f_code.co_name != function:
            return False
        frame = frame.f_back
    return True
