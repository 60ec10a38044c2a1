"""Ctrl-C while the stack is hurt: heeded where it suits, lost nowhere."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Seconds between two looks for it.
SLICE_SECONDS = 0.1


class Interruption:
    """Keeps a Ctrl-C until somebody heeds it.

    Raised at once it could end in the middle of a query, or in a destructor, which
    swallows it. A second one that comes before the first was heeded is raised.
    """

    def __init__(self) -> None:
        # No Event: the signal may stop the very code that holds its lock.
        self._pending = False

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Keep what comes meanwhile."""
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._pending:
            raise KeyboardInterrupt
        self._pending = True

    def heed(self) -> None:
        """Raise `KeyboardInterrupt` if one has come."""
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def pause(self, seconds: float) -> None:
        """Wait; raise `KeyboardInterrupt` soon after one has come."""
        until = time.monotonic() + seconds
        self.heed()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
            self.heed()
