"""A process that has run enough, or has grown too large, gives way to a new one.

For bodies, or libraries of theirs, that do not give their memory back. The supervisor
starts another process at once; the old one ends when its last bodies have.
"""

import logging
import random
import threading
import time

import psutil

from core.worker import beats
from core.worker.lease import Lease

logger = logging.getLogger(__name__)

#: Seconds between two looks.
LOOK_SECONDS = 1.0
#: Processes that started together do not end together: a share of `max_runs`.
SPREAD = 0.1
MEGABYTE = 1024 * 1024


class Recycling:
    """Looks at this process until it is to be replaced.

    Args:
        lease: of this process.
        max_runs: it takes about so many runs; None: any number.
        max_memory: it may be so large, in MB of resident memory; None: any size.
    """

    def __init__(
        self, lease: Lease, max_runs: int | None, max_memory: int | None
    ) -> None:
        self.lease = lease
        self.max_memory = max_memory
        spread = random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311  # guards nothing
        self.max_runs = max_runs and max(1, round(max_runs * spread))

    def start(self) -> None:
        """Look from now on, in a thread, if there is a bound."""
        if self.max_runs or self.max_memory:
            threading.Thread(
                target=self._watch, name="switchyard-recycling", daemon=True
            ).start()

    def _watch(self) -> None:
        while not (why := self.why()):
            time.sleep(LOOK_SECONDS)
        if beats.retire():
            logger.info("This process gives way to a new one: %s.", why)

    def why(self) -> str:
        """Return why it is to be replaced; "": it goes on."""
        handled = self.lease.handled
        if self.max_runs and handled >= self.max_runs:
            return f"it has taken {handled} runs"
        # A bound that a new process is over must not keep all from working.
        if self.max_memory and handled:
            size = psutil.Process().memory_info().rss // MEGABYTE
            if size > self.max_memory:
                return f"it has grown to {size} MB"
        return ""
