"""How large a run of the scenarios is, and how long what they promise may take."""

import os
from dataclasses import dataclass

from tests.services.waiting import PATIENCE

#: `make faults`: durations as in production. Otherwise scaled down by settings.
FULL = PATIENCE == 1

#: TIMING of the shop's broker when it is scaled down, s.
SHORT = {
    "lease": 3,
    "heartbeat": 0.75,
    "rescue": 0.5,
    "relay": 0.3,
    "reserve": 2,
    "lost": 4,
    "stop": 10,
}
#: And so soon Redis gives back what a dead worker held, s.
DEAD_AFTER = 10


@dataclass(frozen=True, slots=True)
class Size:
    """Of one scenario: orders of a run, and how many runs with seeds of their own."""

    orders: int = 1000
    seeds: int = 1
    #: Orders in `make test`.
    few: int = 60

    def chosen(self) -> "Size":
        """Return what this run of the tests does, as the environment asks."""
        orders = int(os.environ.get("ORDERS") or (self.orders if FULL else self.few))
        seeds = int(os.environ.get("SEEDS") or (self.seeds if FULL else 1))
        return Size(orders, seeds, self.few)


def lasting(full: float, short: float) -> float:
    """Return how long something lasts in this run, s."""
    return full if FULL else short
