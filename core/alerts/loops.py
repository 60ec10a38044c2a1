"""A thread of the clock that looks again and again, and survives what is away."""

import logging
import threading
from abc import ABC, abstractmethod
from collections import defaultdict

from django.db import Error, close_old_connections, connections

from core.broker.handler import brokers
from core.outages import Outage

logger = logging.getLogger(__name__)

#: Seconds between two looks.
LOOK_SECONDS = 2.0


class Loop(ABC):
    """One thread, named after what it does; it takes a step for each database."""

    name: str

    def __init__(self) -> None:
        self.wake = threading.Event()
        self._stop = threading.Event()
        self._outages: dict[str, Outage] = defaultdict(self._outage)
        self._thread = threading.Thread(
            target=self._run, name=f"switchyard-{self.name}", daemon=True
        )

    @abstractmethod
    def step(self, database: str) -> None:
        """Do what there is to do."""

    def pause(self) -> float:
        """Return the seconds until the next look, unless somebody wakes it."""
        return LOOK_SECONDS

    def finish(self) -> None:  # noqa: B027  # most have nothing under way
        """Wait a moment for what is under way; called in the thread, at its end."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End the thread after its present step; wait at most `seconds` for it."""
        self._stop.set()
        self.wake.set()
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            for database in brokers.databases():
                self._guarded(database)
            self.wake.wait(self.pause())
            self.wake.clear()
        self.finish()
        connections.close_all()

    def _outage(self) -> Outage:
        return Outage(
            logger, f"Cannot see to {self.name}", f"Seeing to {self.name} again"
        )

    def _guarded(self, database: str) -> None:
        """Take a step; of a database that is away it is told once."""
        outage = self._outages[database]
        try:
            close_old_connections()
            self.step(database)
        except Error as error:
            connections[database].close()
            outage.begin(error)
        except Exception as error:  # whatever it is, the thread must go on
            outage.begin(error, expected=False)
        else:
            outage.end()
