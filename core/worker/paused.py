"""Which queues are paused, as this process knows: no message waits for the database."""

import logging
import time

from django.db import Error

from core import runs
from core.outages import Outage

#: Seconds after which what is known is asked for again, until somebody keeps it fresh.
FRESH_SECONDS = 1.0

logger = logging.getLogger(__name__)


class PausedQueues:
    """The paused queues of a broker alias; nobody asks for them before they matter."""

    def __init__(self, database: str, alias: str) -> None:
        self.database = database
        self.alias = alias
        self._queues: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._outage = Outage(
            logger, "Cannot ask for paused queues", "Asking for paused queues again"
        )

    @property
    def matter(self) -> bool:
        """Return True once somebody has asked."""
        return self._read_at is not None

    def has(self, queue: str, *, kept_fresh: bool) -> bool:
        """Return True if messages of a queue wait as rows, as of a moment ago."""
        old = not kept_fresh and time.monotonic() - (self._read_at or 0) > FRESH_SECONDS
        if old or not self.matter:
            self.read()
        return queue in self._queues

    def read(self) -> None:
        """Ask the database; without one just now, what was known still holds."""
        self._read_at = time.monotonic()
        try:
            self._queues = runs.paused(self.database, self.alias)
        except Error as error:
            self._outage.begin(error)
        else:
            self._outage.end()
