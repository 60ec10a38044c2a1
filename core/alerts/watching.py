"""The clock's part: every worker's parent and every scheduler watches."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from core.alerts import rounds
from core.alerts.loops import Loop
from core.alerts.plan import plan
from core.alerts.sending import Sender

logger = logging.getLogger(__name__)

#: Seconds for the threads to end.
STOP_SECONDS = 5.0


class Watcher(Loop):
    """Looks at the rules when it is this process's turn."""

    name = "alert-watcher"

    def __init__(self, sender: Sender) -> None:
        super().__init__()
        self._sender = sender
        self._complained: set[str] = set()

    def step(self, database: str) -> None:
        """Look; have the sender told if there is something to tell."""
        current = plan(database)
        for error in map(str, current.errors):
            if error not in self._complained:
                self._complained.add(error)
                logger.error("%s", error)
        if rounds.look(database, current):
            self._sender.wake.set()


@contextmanager
def watching() -> Iterator[None]:
    """Look at the rules and tell the receivers, in threads beside what goes on here."""
    sender = Sender()
    watcher = Watcher(sender)
    sender.start()
    watcher.start()
    try:
        yield
    finally:
        watcher.stop(STOP_SECONDS)
        sender.stop(STOP_SECONDS)
