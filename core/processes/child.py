"""A process of a supervisor's, and the pipe on which it says that it is alive.

Being there is not enough: a process that is stopped, or whose body holds Python's lock,
is there and does nothing. And it learns from the same pipe that its supervisor is gone.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

from core.worker.lease import SUPERVISOR

#: Set by the supervisor: the number of the file to write to.
BEATS = "SWITCHYARD_BEATS"
#: Seconds between two beats.
BEAT_SECONDS = 1.0
#: A process that has not yet said anything may still be importing, s.
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
            return bool(os.read(self._beats, 4096))
        except BlockingIOError:
            return False

    def forget(self) -> None:
        """Close the pipe of one that has ended."""
        os.close(self._beats)


def beat() -> None:
    """Say that this process is alive, and stop it when its supervisor is gone.

    Nothing would relay for it. Without a supervisor, as from a shell, do nothing.
    """
    if BEATS in os.environ:
        # Not for the processes that a body starts.
        write = int(os.environ.pop(BEATS))
        os.set_blocking(write, False)
        threading.Thread(
            target=_beat, args=(write,), name="switchyard-beats", daemon=True
        ).start()


def _beat(write: int) -> None:
    while True:
        try:
            os.write(write, b".")
        except BlockingIOError:
            pass  # it is stopped, and will find many
        except OSError:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(BEAT_SECONDS)
