"""What keeps a sender from asking a broker again that has just not answered."""

import time

#: After a failed publish all is left to the relay for so many seconds.
BREAKER_SECONDS = 2


class Breaker:
    """Open for a moment after each failure."""

    def __init__(self) -> None:
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is no use to ask the broker now."""
        return time.monotonic() < self._until

    def note_failure(self) -> None:
        """Leave all that is sent to the relay for a moment."""
        self._until = time.monotonic() + BREAKER_SECONDS
