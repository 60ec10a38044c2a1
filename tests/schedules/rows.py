"""Schedules as rows for the tests, and what became of their slots."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core import Secret, actor, runs
from core.models import Fire, Run, Schedule
from core.triggers import Trigger, every

#: The minute at which most tests begin.
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@actor(actor_name="test.schedules.echo", schedulable=True, queue_name="quiet")
def echo(value: str = "") -> str:
    return value


@actor(actor_name="test.schedules.log_in", schedulable=True)
def log_in(name: str, password: Secret[str]) -> None: ...


def make(
    trigger: Trigger | None = None, *, after: datetime = NOON, **said: Any
) -> Schedule:
    """A schedule whose slots count from `after`; every minute unless given."""
    row = Schedule(
        name=said.pop("name", "report"),
        actor_name=said.pop("actor_name", echo.actor_name),
        trigger=(trigger or every(minutes=1)).asdict(),
        **said,
    )
    row.save()
    Schedule.objects.filter(pk=row.pk).update(after=after, next_at=after)
    row.refresh_from_db()
    return row


def fires(row: Schedule) -> list[tuple[str, str]]:
    """What became of each slot, in order, and why."""
    slots = Fire.objects.filter(schedule=row).order_by("slot")
    return [(f"{fire.slot:%H:%M:%S}", fire.reason or fire.state) for fire in slots]


def fired(row: Schedule) -> list[str]:
    """The slots that fired, in order; each has a run of its own."""
    runs = [run.pk for run in sent(row)]
    found = [slot for slot, what in fires(row) if what == "fired"]
    assert len(set(runs)) == len(found)
    return found


def sent(row: Schedule) -> list[Run]:
    """The runs that the slots of a schedule have sent, in order."""
    found = Fire.objects.filter(schedule=row, run_id__isnull=False).order_by("slot")
    return [Run.objects.get(pk=fire.run_id) for fire in found]


#: The run of a slot with these options waits, and so has not ended.
WAITS = {"delay": 3_600_000}


def end(run: Run) -> None:
    """Have a run that waits end."""
    assert runs.cancel("default", [run.pk]) == 1
