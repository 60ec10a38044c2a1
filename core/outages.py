"""Something that is away for a while: said once, and once that it is back."""

import logging
import threading
import time


class Outage:
    """One thing that others wait for, as one process sees it.

    Several may wait for it and lose it one after another: each under a name of its
    own. It is back when none of them misses it any more.

    Args:
        logger: whose lines these are.
        away: what is said first; the error follows.
        back: what is said at the end; for how long it was away follows.
    """

    def __init__(self, logger: logging.Logger, away: str, back: str) -> None:
        self._logger = logger
        self._away = away
        self._back = back
        self._lock = threading.Lock()
        self._missing: set[str] = set()
        #: The types of error that were told of.
        self._told: set[str] = set()
        self._since = 0.0

    def __bool__(self) -> bool:
        """Return True while it lasts."""
        return bool(self._missing)

    def is_missed_by(self, who: str) -> bool:
        """Return True while it is away for this one."""
        return who in self._missing

    def begin(self, error: Exception, who: str = "", *, expected: bool = True) -> None:
        """Note that it is away, and log why unless that is known.

        With a traceback, if it is not `expected`: then a program is at fault.
        """
        kind = type(error).__name__
        with self._lock:
            if not self._missing:
                self._since = time.monotonic()
            self._missing.add(who)
            level = logging.WARNING if expected else logging.ERROR
            level = logging.DEBUG if kind in self._told else level
            self._told.add(kind)
        trace = None if expected else error
        self._logger.log(level, "%s: %s", self._away, error, exc_info=trace)

    def end(self, who: str = "") -> None:
        """Note that it is back, and log it if it was away."""
        if who not in self._missing:
            return
        with self._lock:
            self._missing.discard(who)
            if self._missing:
                return
            self._told.clear()
            seconds = time.monotonic() - self._since
        self._logger.warning("%s, after %.1f s.", self._back, seconds)
