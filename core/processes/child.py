"""A process of a supervisor's, and the pipe on which it says that it is alive.

Being there is not enough: a process that is stopped, or whose body holds Python's lock,
is there and does nothing.
"""

import os
import subprocess
import time
from collections.abc import Sequence

from core.worker.beats import BEAT_SECONDS, BEATS, RETIRING
from core.worker.lease import SUPERVISOR

#: Seconds in which a process need not say anything: it may still be importing.
BOOT_SECONDS = 60.0


class Child:
    """One process, started at once. Raises OSError if it cannot be."""

    def __init__(self, command: Sequence[str], supervisor: str) -> None:
        self._beats, write = os.pipe()
        os.set_blocking(self._beats, False)
        try:
            self.process = subprocess.Popen(  # noqa: S603  # our own command line
                command,
                env={**os.environ, SUPERVISOR: supervisor, BEATS: str(write)},
                pass_fds=[write],
                # A Ctrl-C in the terminal reaches us alone: a second signal kills.
                start_new_session=True,
            )
        except OSError:
            os.close(self._beats)
            raise
        finally:
            os.close(write)
        self.pid = self.process.pid
        self.started_at = self._looked_at = time.monotonic()
        self._silent = 0.0
        self._has_booted = False
        #: It takes no more messages, and ends when its bodies have.
        self.is_retiring = False

    def has_ended(self) -> bool:
        """Return True, again and again, once it has ended."""
        return self.process.poll() is not None

    def is_silent(self, seconds: float) -> bool:
        """Return True if it has said nothing for that long; ask often.

        Only what we have seen counts: who was stopped as well has heard nobody.
        """
        now = time.monotonic()
        passed, self._looked_at = now - self._looked_at, now
        if self._hears():
            self._silent, self._has_booted = 0.0, True
        else:
            self._silent += min(passed, BEAT_SECONDS)
        return self._silent > (seconds if self._has_booted else BOOT_SECONDS)

    def _hears(self) -> bool:
        try:
            said = os.read(self._beats, 4096)
        except BlockingIOError:
            return False
        self.is_retiring |= RETIRING in said
        return bool(said)

    def forget(self) -> None:
        """Close the pipe of one that has ended."""
        os.close(self._beats)
