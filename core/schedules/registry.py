"""The rows of the schedules: in step with the code, paused, resumed, run by hand."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from core.broker.handler import brokers
from core.errors import UnknownSchedule
from core.interface.actors import send_many
from core.interface.declarations import declared
from core.interface.messages import Message
from core.models import Fire, FireState, Origin, Schedule
from core.models.schedule import SAID
from core.schedules.sending import message_of
from core.triggers import version

logger = logging.getLogger(__name__)

#: Columns of a declared row that are overwritten: all but its name and the pause.
DECLARED = tuple(name for name in SAID if name not in ("name", "paused"))


@dataclass(frozen=True, slots=True)
class Synced:
    """How many declared schedules were new, changed, and gone."""

    made: int = 0
    changed: int = 0
    retired: int = 0


def sync() -> Synced:
    """Make the rows say what code and settings say; a driver does it when it starts.

    What is declared no more is retired: it keeps its row and its past and never fires.
    Raises `CoreError` for a declaration that cannot be.
    """
    wanted: dict[str, dict[str, Schedule]] = {name: {} for name in brokers.databases()}
    for name, one in declared().items():
        database = brokers.carrier(one.actor_name, one.said.options).database
        wanted[database][name] = Schedule(**one.fields())
    found = [_sync_safely(database, rows) for database, rows in wanted.items()]
    return Synced(
        sum(one.made for one in found),
        sum(one.changed for one in found),
        sum(one.retired for one in found),
    )


def _sync_safely(database: str, wanted: Mapping[str, Schedule]) -> Synced:
    try:
        return _sync(database, wanted)
    except IntegrityError:
        # Another scheduler has started at the same time: its rows are there now.
        fresh = declared()
        return _sync(
            database, {name: Schedule(**fresh[name].fields()) for name in wanted}
        )


def _sync(database: str, wanted: Mapping[str, Schedule]) -> Synced:
    rows = Schedule.objects.using(database)
    concerned = rows.filter(~Q(origin=Origin.ADMIN) | Q(name__in=wanted))
    with transaction.atomic(using=database):
        there = {row.name: row for row in concerned.select_for_update().order_by("pk")}
        made = [row for name, row in wanted.items() if name not in there]
        for row in made:
            row.save(using=database)
        changed = [
            there[name]
            for name, row in wanted.items()
            if name in there and _adopt(there[name], row, database)
        ]
        gone = [
            row.pk
            for name, row in there.items()
            if row.is_declared and not row.retired_at and name not in wanted
        ]
        rows.filter(pk__in=gone).update(retired_at=Now(), next_at=None)
        Fire.objects.using(database).filter(
            schedule_id__in=gone, state=FireState.WAITING
        ).update(state=FireState.SKIPPED, reason="its schedule was retired")
        # Zones change: what was computed by another version is computed again.
        old = rows.exclude(zones=version()).filter(next_at__isnull=False)
        old.update(next_at=Now())
    return Synced(len(made), len(changed), len(gone))


def _adopt(row: Schedule, wanted: Schedule, database: str) -> bool:
    """Have a row say what is wanted; return whether it said something else."""
    if row.origin == Origin.ADMIN:
        logger.error(
            "%s is declared, but somebody made a schedule of this name: rename it.",
            row.name,
        )
        return False
    changes = {
        name: getattr(wanted, name)
        for name in DECLARED
        if getattr(row, name) != getattr(wanted, name)
    }
    if row.retired_at:
        row.digest = ""  # what it missed while it was gone is nobody's
    for name, value in changes.items():
        setattr(row, name, value)
    if changes:
        row.save(using=database)
    return bool(changes)


def find(name: str) -> Schedule:
    """Return the schedule of this name, of any database; or raise `UnknownSchedule`."""
    for database in brokers.databases():
        row = Schedule.objects.using(database).filter(name=name).first()
        if row is not None:
            return row
    raise UnknownSchedule(name, _like(name))


def _like(name: str) -> tuple[str, ...]:
    """Return names that somebody who wrote this one may have meant."""
    known = names()
    parts = [other for other in sorted(known) if name.lower() in other.lower()]
    return tuple(parts[:3]) or tuple(get_close_matches(name, known))


def names() -> list[str]:
    """Return the names of the schedules of all databases."""
    return [
        name
        for database in brokers.databases()
        for name in Schedule.objects.using(database).values_list("name", flat=True)
    ]


def living() -> list[Schedule]:
    """Return the schedules of all databases that are not retired, by name."""
    rows = [
        row
        for database in brokers.databases()
        for row in Schedule.objects.using(database).filter(retired_at=None)
    ]
    return sorted(rows, key=lambda row: row.name)


def pause(name: str) -> bool:
    """Record the slots from now on as skipped; False: it was paused already."""
    return _set_paused(name, paused=True)


def resume(name: str) -> bool:
    """End a pause; the next tick decides what it has skipped by the missed rule."""
    return _set_paused(name, paused=False)


def _set_paused(name: str, *, paused: bool) -> bool:
    row = find(name)
    if row.paused == paused:
        return False
    row.paused = paused
    row.save(using=row._state.db, update_fields=["paused"])
    return True


def run_now(name: str, *, driver: str = "") -> Message[Any]:
    """Send what a schedule sends, at once; its slots stay as they are."""
    row = find(name)
    with transaction.atomic(using=row._state.db):
        (message,) = send_many([message_of(row)])
        Fire.objects.using(row._state.db).create(
            schedule=row,
            state=FireState.FIRED,
            run_id=message.message_id,
            is_open=True,
            driver=driver,
            decided_at=Now(),
        )
    return message
