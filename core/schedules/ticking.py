"""What a driver calls: when is something due, and fire it.

A driver is a loop: `sync()` once, then `tick(driver=...)` again and again, each after
`wait` seconds of the one before, or sooner.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.models import Fire, Schedule
from core.schedules.fire import BATCH, Tally, fire_due, is_waiting, let_go

logger = logging.getLogger(__name__)

#: Time between two looks at slots that wait for the end of a run.
PATIENCE = timedelta(seconds=1)
#: Seconds a driver sleeps at most: an edit is noticed at the next tick.
LONGEST_WAIT = 1.0
#: Seconds between two looks at what another scheduler may have locked.
BUSY_WAIT = 0.05


@dataclass(frozen=True, slots=True)
class Tick:
    """The outcome of a tick, and when something is due next by the database's clock."""

    fired: int
    skipped: int
    next_at: datetime | None
    now: datetime | None

    @property
    def wait(self) -> float:
        """How many seconds a driver may wait before it ticks again."""
        if self.next_at is None or self.now is None:
            return LONGEST_WAIT
        seconds = (self.next_at - self.now).total_seconds()
        if seconds <= 0 and not (self.fired or self.skipped):
            return BUSY_WAIT  # another scheduler has it in hand
        return min(LONGEST_WAIT, max(0.0, seconds))


def tick(*, driver: str = "", now: datetime | None = None) -> Tick:
    """Fire every slot that is due, once, whoever else ticks at the same time.

    `driver` is noted in each fire. `now` is the database's time unless given: tests
    give it.
    """
    tallies: list[Tally] = []
    prospects = _prospects(now)
    for database, prospect in prospects.items():
        if prospect.is_waiting:
            tallies.append(let_go(database, driver, now))
        if prospect.is_due:
            tallies += _fire_all(database, driver, now)
    if tallies:
        prospects = _prospects(now)
    first = min(
        prospects.values(), key=lambda prospect: prospect.wait, default=Prospect()
    )
    return Tick(
        sum(tally.fired for tally in tallies),
        sum(tally.skipped for tally in tallies),
        first.next_at,
        first.now,
    )


def next_due(now: datetime | None = None) -> datetime | None:
    """Return when something is due next, by the database's clock; None: never."""
    due = [prospect.next_at for prospect in _prospects(now).values()]
    return min((instant for instant in due if instant is not None), default=None)


@dataclass(frozen=True, slots=True)
class Prospect:
    """The next slots in one database."""

    next_at: datetime | None = None
    now: datetime | None = None
    is_waiting: bool = False

    @property
    def wait(self) -> timedelta:
        """How long nothing is due."""
        if self.next_at is None or self.now is None:
            return timedelta.max
        return self.next_at - self.now

    @property
    def is_due(self) -> bool:
        """Return True if something is due already."""
        return self.wait <= timedelta(0)


def _prospects(now: datetime | None) -> dict[str, Prospect]:
    return {database: _prospect(database, now) for database in brokers.databases()}


def _prospect(database: str, now: datetime | None) -> Prospect:
    rows = Schedule.objects.using(database).filter(next_at__isnull=False)
    first = rows.order_by("next_at").values_list("next_at", Now()).first()
    waiting = Fire.objects.using(database).filter(is_waiting())
    patient = waiting.values_list(Now(), flat=True).first()
    next_at, moment = first or (None, None)
    if patient is not None:
        later = (now or patient) + PATIENCE
        next_at = later if next_at is None else min(next_at, later)
    return Prospect(next_at, now or moment or patient, patient is not None)


def _fire_all(database: str, driver: str, now: datetime | None) -> list[Tally]:
    tallies = []
    while True:
        try:
            tally = fire_due(database, driver, now)
        except IntegrityError as error:
            # Without row locks two may decide the same slot; one of them may not.
            logger.info("Left slots to another scheduler: %s", error)
            break
        tallies.append(tally)
        if tally.looked < BATCH:
            break
    return tallies
