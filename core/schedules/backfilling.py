"""Slots of the past that fire after all: a range of them that somebody asks for."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models.functions import Now

from core import runs
from core.errors import InvalidFilter
from core.models import Fire, FireState, Schedule
from core.schedules.fire import save_fires
from core.schedules.overlapping import active_among
from core.schedules.registry import find
from core.schedules.sending import send
from core.triggers import MOMENT, Timetable

#: Most slots of one backfill.
MOST = 10_000
#: These are not sent again.
DONE = (FireState.FIRED, FireState.WAITING)


def unfired(name: str, since: datetime, until: datetime | None) -> list[datetime]:
    """Return the slots between two moments, inclusive, that have not fired.

    None of those to come: they fire by themselves. Moments without a zone are what the
    clocks of the schedule's show; `until` is now if None. Raises `UnknownSchedule`, and
    `InvalidFilter` for moments that cannot be, or for more than `MOST` slots.
    """
    row = find(name)
    zone, database = row.when.zone, row._state.db or "default"
    now = runs.now(database)
    first, last = _instant(since, zone), min(now, _instant(until or now, zone))
    if first > last:
        hint = "give a moment of the past, and before `to`"
        raise InvalidFilter("from", since.isoformat(), hint)
    slots = row.timetable(row.said).slots(first - MOMENT)
    found = list(islice(takewhile(lambda slot: slot <= last, slots), MOST + 1))
    if len(found) > MOST:
        hint = f"there are more than {MOST} slots; ask for them in parts"
        raise InvalidFilter("to", last.isoformat(), hint)
    fires = Fire.objects.using(database).filter(schedule=row, state__in=DONE)
    within = fires.filter(slot__gte=first, slot__lte=last)
    done = set(within.values_list("slot", flat=True))
    return [slot for slot in found if slot not in done]


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def backfill(name: str, slots: Sequence[datetime], *, driver: str = "") -> list[Fire]:
    """Fire these slots in one transaction, but those that have fired meanwhile.

    Where the schedule's runs must not overlap they wait for one another. Neither a
    pause nor `max_fires` speaks against it, and nothing else of the schedule moves.
    """
    row = find(name)
    database = row._state.db or "default"
    with transaction.atomic(using=database):
        rows = Schedule.objects.using(database).select_for_update()
        row = rows.annotate(moment=Now()).get(pk=row.pk)
        fires = _fires(database, row, slots)
        for fire in fires:
            fire.schedule, fire.state, fire.reason = row, FireState.FIRED, ""
            fire.driver, fire.decided_at = driver, row.moment
        first = fires if row.overlap == "allow" else fires[: _is_free(database, row)]
        for fire in fires[len(first) :]:
            fire.state = FireState.WAITING
        send(database, first)
        save_fires(database, fires)
    return fires


def _is_free(database: str, row: Schedule) -> bool:
    waiting = Fire.objects.using(database).filter(schedule=row, state=FireState.WAITING)
    return not (active_among(database, [row.pk]) or waiting.exists())


def _fires(database: str, row: Schedule, slots: Sequence[datetime]) -> list[Fire]:
    """Return the rows of these slots, those that were skipped or new ones."""
    there = Fire.objects.using(database).filter(schedule=row, slot__in=slots)
    known = {fire.slot: fire for fire in there.filter(until=None)}
    _make_room(database, row, slots)
    found = [known.get(slot) or Fire(slot=slot) for slot in slots]
    return [fire for fire in found if fire.pk is None or fire.state not in DONE]


def _make_room(database: str, row: Schedule, slots: Collection[datetime]) -> None:
    """Let rows that stand for many slots begin after those that get their own."""
    fires = Fire.objects.using(database).filter(schedule=row)
    table, wanted = row.timetable(row.said), set(slots)
    for fire in fires.filter(until__isnull=False, slot__in=slots):
        within = fires.filter(until=None, slot__gte=fire.slot, slot__lt=fire.until)
        taken = wanted.union(within.values_list("slot", flat=True))
        start = _next_not_in(taken, table, fire.slot)
        if start is None or fire.until is None or start >= fire.until:
            fire.delete()
        else:
            fires.filter(pk=fire.pk).update(slot=start)


def _next_not_in(
    taken: Collection[datetime | None], table: Timetable, slot: datetime | None
) -> datetime | None:
    while slot is not None and slot in taken:
        slot = table.next(slot)
    return slot
