"""A circuit breaker: a broker that has just not answered is not asked again at once."""

import logging
import time

from core.errors import BrokerUnavailable
from core.outages import Outage

logger = logging.getLogger(__name__)

#: Seconds for which all is left to the relay after a failed publish.
BREAKER_SECONDS = 2


class Breaker:
    """Open for a moment after each failure."""

    def __init__(self, alias: str) -> None:
        self._until = 0.0
        self._outage = Outage(
            logger,
            "Leave to the relay what is sent",
            f"Publishing to {alias!r} at once again",
        )

    @property
    def is_open(self) -> bool:
        """Return True if it is no use to ask the broker now."""
        return time.monotonic() < self._until

    def note_failure(self, error: BrokerUnavailable) -> None:
        """Leave all that is sent to the relay for a moment."""
        self._until = time.monotonic() + BREAKER_SECONDS
        self._outage.begin(error)

    def note_success(self) -> None:
        """Say so, if it comes after a failure."""
        self._outage.end()
