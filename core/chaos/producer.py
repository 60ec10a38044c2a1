"""Sends canaries at a steady pace, each in a transaction, and notes what came of it."""

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

from django.db import Error, connections, transaction

from core.broker.broker import Broker
from core.tasks import canary

#: Seconds before a slow canary leaves its mark.
HOLD = 1.0
#: Of each twenty canaries these differ; a delayed one is due 2 s later.
KINDS: dict[int, dict[str, Any]] = {
    3: {"fail": True},
    7: {"hold": HOLD},
    11: {"delay": 2000},
    13: {"fail": True},
    17: {"regret": True},
}
CYCLE = 20
#: Most canaries of a burst.
MOST = 1000


class Regret(Exception):
    """The sender's transaction is rolled back at its end."""


@dataclass(slots=True)
class Told:
    """The canaries as their senders know them, by number."""

    sent: set[int] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    #: The database went away, or a Ctrl-C came: committed or not, nobody was told.
    unsure: set[int] = field(default_factory=set)
    #: Duration of each committed send in seconds.
    durations: list[float] = field(default_factory=list)


class Producer(threading.Thread):
    """Sends canaries at a rate until it is told to stop."""

    def __init__(self, broker: Broker, queue: str, token: UUID, rate: float) -> None:
        super().__init__(name="switchyard-chaos", daemon=True)
        self.told = Told()
        self._database = broker.database
        self._token = str(token)
        self._destination = {"broker": broker.alias, "queue_name": queue}
        self._rate = rate
        self._numbers = count()
        self._told_to_stop = threading.Event()

    def run(self) -> None:
        """Send; a send that is late does not hold up those after it."""
        start = time.monotonic()
        for turn in count():
            pause = start + turn / self._rate - time.monotonic()
            if self._told_to_stop.wait(max(0.0, pause)):
                break
            self._send(**KINDS.get(turn % CYCLE, {}))
        connections.close_all()

    def stop(self) -> None:
        """Return when the last one has been sent."""
        self._told_to_stop.set()
        if self.is_alive():
            self.join()

    def burst(self, number: int) -> None:
        """Send `number` slow ones at once, from the caller's thread."""
        for _ in range(min(number, MOST)):
            self._send(hold=HOLD)

    def _send(self, regret: bool = False, delay: int = 0, **kwargs: Any) -> None:
        number, start = next(self._numbers), time.monotonic()
        self.told.unsure.add(number)
        try:
            with transaction.atomic(using=self._database):
                sender = canary.using(delay=delay, **self._destination)
                sender.send(token=self._token, number=number, **kwargs)
                if regret:
                    raise Regret
        except Regret:
            self.told.undone.add(number)
        except Error:
            connections[self._database].close()
            return
        else:
            self.told.durations.append(time.monotonic() - start)
            self.told.sent.add(number)
        self.told.unsure.discard(number)
