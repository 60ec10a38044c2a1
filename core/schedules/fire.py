"""Firing what is due: each slot's row, its run and the next slot in one transaction.

Any number of schedulers do it at once. A schedule's row is locked while somebody
decides its slots; where a database has no such locks, the unique slot is the last word.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from core.models import Fire, FireState, Schedule
from core.registry import registry
from core.schedules.failing import pause_failing
from core.schedules.look import Look, put_off
from core.schedules.missed import PAUSED, most
from core.schedules.overlapping import active_among, mind_overlaps
from core.schedules.sending import send

#: Schedules that are fired in one transaction.
BATCH = 500
#: The columns of a schedule that a tick writes.
KEPT = ["digest", "zones", "after", "next_at", "paused_from", "fires", "error"]


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcome of one transaction."""

    looked: int = 0
    fired: int = 0
    skipped: int = 0


def fire_due(database: str, driver: str, now: datetime | None) -> Tally:
    """Fire what is due, up to `BATCH` schedules; `now` is the database's if None."""
    with transaction.atomic(using=database):
        due = Schedule.objects.using(database).filter(next_at__lte=now or Now())
        rows = list(
            due.annotate(moment=Now())
            .order_by("next_at")
            .select_for_update(skip_locked=True)[:BATCH]
        )
        if not rows:
            return Tally()
        looks, late = _look(rows, now or rows[0].moment, driver)
        _decide(database, looks)
        return _write(database, looks, late)


def _look(
    rows: Sequence[Schedule], now: datetime, driver: str
) -> tuple[list[Look], list[Schedule]]:
    """Return what can be decided here, and the rows that nobody has decided in time."""
    looks, late = [], []
    for row in rows:
        try:
            looks.append(_looked_at(row, now, driver))
        except (ValueError, TypeError, LookupError) as error:
            # Of another release: a scheduler that knows it needs but a moment.
            if put_off(row, now, str(error)):
                late.append(row)
    return looks, late


def _looked_at(row: Schedule, now: datetime, driver: str) -> Look:
    found = Look(row, now, driver)
    if found.slots and not row.paused and row.actor_name not in registry:
        raise LookupError(f"No actor named {row.actor_name!r} is declared here.")
    return found


def _decide(database: str, looks: Sequence[Look]) -> None:
    known: dict[Any, set[datetime]] = defaultdict(set)
    ids = [look.row.pk for look in looks]
    fires = Fire.objects.using(database)
    # Also what the clock has jumped back before.
    decided = fires.filter(schedule_id__in=ids, slot__gt=F("schedule__after"))
    for schedule, slot in decided.values_list("schedule_id", "slot"):
        if slot is not None:
            known[schedule].add(slot)
    pause_failing(database, looks)
    for one in looks:
        one.decide(known[one.row.pk], _paused(fires.all(), one))
    mind_overlaps(database, looks)


def _paused(fires: QuerySet[Fire], look: Look) -> list[Fire]:
    """Return the newest slots that a pause had skipped which is over now."""
    row = look.row
    if row.paused or row.paused_from is None:
        return []
    skipped = fires.filter(
        schedule=row, slot__gte=row.paused_from, until=None, reason=PAUSED
    )
    found = list(skipped.order_by("-slot")[: most(look.said)])
    for fire in found:
        fire.schedule = row
    return found


def _write(database: str, looks: Sequence[Look], late: Sequence[Schedule]) -> Tally:
    to_send = [fire for look in looks for fire in look.to_send]
    send(database, to_send)
    for one in looks:
        one.go_on()
    fires = [*to_send, *(fire for look in looks for fire in look.others)]
    save_fires(database, fires)
    rows = [*late, *(one.row for one in looks)]
    _keep(database, rows)
    fired = sum(fire.state == FireState.FIRED for fire in fires)
    skipped = sum(fire.state == FireState.SKIPPED for fire in fires)
    return Tally(len(rows), fired, skipped)


def _keep(database: str, rows: Sequence[Schedule]) -> None:
    """Write what a tick changes of its schedules.

    By hand: Django's ways of many different updates take two to ten times as long.
    """
    connection = connections[database]
    columns = [f for f in Schedule._meta.concrete_fields if f.name in KEPT]
    changes = ", ".join(
        f"{connection.ops.quote_name(str(column.column))} = %s" for column in columns
    )
    values = [
        [
            *(c.get_db_prep_save(getattr(row, c.attname), connection) for c in columns),
            row.pk,
        ]
        for row in rows
    ]
    sql = f"UPDATE core_schedule SET {changes} WHERE id = %s"  # noqa: S608  # our own
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def save_fires(database: str, fires: Iterable[Fire]) -> None:
    """Write new fires, and those that have been decided anew."""
    old = [fire for fire in fires if fire.pk is not None]
    new = [fire for fire in fires if fire.pk is None]
    Fire.objects.using(database).bulk_create(new, batch_size=1000)
    changed = ["state", "reason", "run_id", "is_open", "driver", "decided_at"]
    Fire.objects.using(database).bulk_update(old, changed, batch_size=100)


def let_go(database: str, driver: str, now: datetime | None) -> Tally:
    """Send the oldest waiting slot of each schedule whose earlier runs have ended."""
    with transaction.atomic(using=database):
        waiting = Fire.objects.using(database).filter(state=FireState.WAITING)
        rows = list(
            Schedule.objects.using(database)
            .filter(pk__in=waiting.values("schedule_id"), paused=False)
            .annotate(moment=Now())
            .select_for_update(skip_locked=True)
        )
        known = {row.pk: row for row in rows if row.actor_name in registry}
        free = known.keys() - active_among(database, list(known))
        oldest: dict[Any, Fire] = {}
        for fire in waiting.filter(schedule_id__in=free).order_by("slot"):
            oldest.setdefault(fire.schedule_id, fire)
        for pk, fire in oldest.items():
            fire.schedule, fire.driver = known[pk], driver
            fire.decided_at = now or known[pk].moment
        fires = list(oldest.values())
        send(database, fires)
        save_fires(database, fires)
        fired = sum(fire.state == FireState.FIRED for fire in fires)
        return Tally(len(fires), fired, len(fires) - fired)


def is_waiting() -> Q:
    """Return what tells a fire that waits for the end of an earlier run."""
    return Q(state=FireState.WAITING, schedule__paused=False)
