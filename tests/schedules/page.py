"""What the examples of docs/schedules-rules.md call: each prints what it stands for.

A schedule of an example is made at noon of 1 May 2026, UTC, and time passes only by
`tick`; all else is the registry's own doing.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from core.errors import CoreError
from core.interface.declarations import Declaration
from core.models import Fire, FireState, Run, Schedule
from core.schedules import backfill, pause, resume, run_now, tick, unfired
from core.triggers import Scheduled, Timetable, Trigger, crontab, scheduled, version
from tests.schedules.oracle import Asked
from tests.schedules.rows import NOON, WAITS, echo
from tests.schedules.walk import Walk
from tests.services.threads import at_once

#: The name of a schedule that is given none.
NAME = "report"


def slots(trigger: Trigger | Scheduled, after: str, number: int = 3) -> None:
    """Print the next slots, as the clocks of the schedule's zone show them."""
    said = trigger if isinstance(trigger, Scheduled) else scheduled(trigger)
    bounds = (said.start, said.end, said.excluded)
    table = Timetable(said.trigger, NAME, *bounds)
    begin = datetime.fromisoformat(after).replace(tzinfo=said.trigger.zone)
    for slot in islice(table.slots(begin), number):
        print(told(slot, said.trigger))


def told(slot: datetime, trigger: Trigger) -> str:
    """Return a slot by its own clocks and by those of UTC."""
    shown = slot.astimezone(trigger.zone)
    offset = shown.isoformat()[-6:]
    clocks = "%H:%M:%S" if slot.second else "%H:%M"
    utc = "" if trigger.tz == "UTC" else f" = {slot:{clocks}} UTC"
    return f"{shown:%a %Y-%m-%d {clocks}}" + (f" {offset}{utc}" if utc else "")


def refused(expr: str, **more: Any) -> None:
    """Print why an expression is none."""
    try:
        crontab(expr, **more)
    except CoreError as error:
        print(error)


class Made:
    """A schedule that an example makes, and what became of its slots."""

    def __init__(self, trigger: Trigger, name: str = NAME, **said: Any) -> None:
        if {"overlap", "pause_after"} & said.keys():
            said["options"] = WAITS  # so that its runs do not end by themselves
        one = Declaration(name, echo.actor_name, "admin", scheduled(trigger, **said))
        self.row = Schedule(**one.fields())
        self.row.save()
        self._as_if_saved(NOON)

    def edit(self, time: str, trigger: Trigger) -> None:
        """Give it another trigger at a time."""
        self.row.refresh_from_db()
        self.row.trigger = trigger.asdict()
        self.row.save()
        self._as_if_saved(at_time(time))

    def pause(self, time: str) -> None:
        """Pause it at a time."""
        pause(self.row.name)
        self._as_if_saved(at_time(time))

    def resume(self, time: str) -> None:
        """End the pause at a time."""
        resume(self.row.name)
        self._as_if_saved(at_time(time))

    def _as_if_saved(self, moment: datetime) -> None:
        """Write what the save would have written if that had been the time."""
        self.row.refresh_from_db()
        # A single moment counts from before itself, whenever it was saved.
        after = min(moment, self.row.after)
        rows = Schedule.objects.filter(pk=self.row.pk)
        rows.update(after=after, next_at=moment)

    def run_now(self) -> None:
        """Run it by hand."""
        run_now(self.row.name, driver="by hand")

    def backfill(self, since: str, until: str) -> None:
        """Fire what has not fired between two times; print what did."""
        slots = unfired(self.row.name, at_time(since), at_time(until))
        for fire in backfill(self.row.name, slots):
            print(line(fire))

    def runs_fail(self) -> None:
        """Have its runs fail that have not ended."""
        ours = Fire.objects.filter(schedule=self.row).values("run_id")
        Run.objects.filter(pk__in=ours, state="pending").update(state="dead")

    def runs(self) -> None:
        """Print when the run of each slot may start."""
        for fire in Fire.objects.filter(schedule=self.row).order_by("slot"):
            run = Run.objects.get(pk=fire.run_id)
            start = max(run.due_at, fire.decided_at)
            print(f"{fire.slot:%H:%M} starts {start:%H:%M:%S}")

    def end_runs(self) -> None:
        """Have its runs end that have not."""
        Run.objects.filter(state="pending").update(state="cancelled")

    def next(self) -> None:
        """Print its next slot."""
        self.row.refresh_from_db()
        print(f"{self.row.next_at:%H:%M}" if self.row.next_at else "never")


def many(number: int, trigger: Trigger) -> None:
    """Make so many schedules in one go."""
    first = Schedule.objects.count()
    rows = [
        Schedule(
            name=f"schedule {first + index}",
            actor_name=echo.actor_name,
            trigger=trigger.asdict(),
            zones=version(),
            after=NOON,
            next_at=NOON,
        )
        for index in range(number)
    ]
    for row in rows:
        row.digest = row.timetable(row.said).digest
    Schedule.objects.bulk_create(rows)


def at_time(time: str) -> datetime:
    """Return a time of 1 May 2026."""
    return datetime.fromisoformat(f"{NOON:%Y-%m-%d}T{time}").replace(tzinfo=UTC)


def passes(time: str, *, driver: str = "", times: int = 1) -> None:
    """Let it be that time and have one driver tick, or many; print what they did."""
    before = {fire.pk: fire.state for fire in Fire.objects.all()}
    now = at_time(time)
    if times == 1:
        tick(now=now, driver=driver)
    else:
        at_once(lambda _: tick(now=now, driver=driver), times)
    for fire in Fire.objects.order_by("slot", "pk").select_related("schedule"):
        if before.get(fire.pk) != fire.state:
            print(line(fire))


def line(fire: Fire) -> str:
    """Return what became of a slot."""
    if fire.slot is None:
        return "by hand: fired"
    clocks = "%H:%M:%S" if fire.slot.second else "%H:%M"
    until = f" to before {fire.until:{clocks}}" if fire.until else ""
    why = f": {fire.reason}" if fire.state == FireState.SKIPPED else ""
    by = f", {fire.late.total_seconds():g} s late, by {fire.driver}"
    late = by if fire.driver and fire.late is not None else ""
    return f"{fire.slot:{clocks}}{until} {fire.state}{why}{late}"


def oracle(expr: str, tz: str, first: str, days: int) -> None:
    """Print the slots that a walk through every minute finds."""
    start = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(tz)).astimezone(UTC)
    window = start, start + timedelta(days=days)
    for slot in Walk(tz, *window).slots(Asked(expr), window):
        print(told(slot, crontab(expr, tz=tz)))
