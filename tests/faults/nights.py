"""Schedulers whose clock is faked and fast, on a SQLite of their own.

The registry's time is the database's. SQLite's is that of the process it lives in, so
under libfaketime a whole night of both passes in a minute. What libfaketime 0.9.10 does
not fake, the sleeps and the threads' waits of Python since 3.11, is made up for in
`tests.faults.settings`. Each process starts its clock itself: what it misses while
Python starts (minutes of such a night) it fires late, by the missed rule.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.faults.books import Books
from tests.faults.processes import Program
from tests.faults.rig import Rig
from tests.faults.scenarios.f21_clocks import faked
from tests.schedules.oracle import Asked

MAKE = """
import datetime
from django.core.management import call_command
from core import crontab
from core.models import Schedule
from tests.faults.tasks import idle
call_command("migrate", "core", verbosity=0)
for name, expr, options, said in {rows!r}:
    trigger = crontab(expr, **options).asdict()
    Schedule(name=name, actor_name=idle.actor_name, trigger=trigger, **said).save()
"""
#: How each real driver is started, without the relay that `manage.py scheduler` has.
BEAT = ("beat", "-S", "backends.celery.beat.Scheduler", "--pidfile=")
APSCHEDULER = ("shell", "-c", "from backends.apscheduler import run; run()")
KINDS = ("beat", "apscheduler")
#: Nothing is left out, however late a process is.
ALL = {"missed": "all", "missed_max": 1000}
FIRES = """
    SELECT s.name, f.slot, f.state, f.decided_at
    FROM core_fire f JOIN core_schedule s ON s.id = f.schedule_id
    WHERE s.origin = 'admin' ORDER BY f.slot
"""
#: The runs that they have sent; the shop's own schedules send others.
RUNS = "SELECT count(*) FROM core_run WHERE actor_name LIKE '%.idle'"
SENT = """
    SELECT count(DISTINCT f.run_id)
    FROM core_fire f JOIN core_schedule s ON s.id = f.schedule_id
    WHERE s.origin = 'admin'
"""


class Night:
    """Schedules in one zone and a driver of one kind, at a time of its own."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.rig, self.name = rig, name
        self.url = f"sqlite:///{rig.folder / name}.sqlite3"
        self.books = Books(self.url)
        self.processes = 0

    def make(
        self, at: datetime, tz: str, asked: Mapping[str, Asked], **said: Any
    ) -> None:
        """Make schedules at a time; what else is said of each goes by its name."""
        rows = [
            (name, one.expr, {"tz": tz, "dst": one.dst}, said.get(name, ALL))
            for name, one in asked.items()
        ]
        script = MAKE.format(rows=rows)
        self.rig.manage("shell", "-c", script, more=self._clock(at))

    def drive(self, kind: str, at: datetime, rate: float) -> Program:
        """Start a driver; its clock begins then, and is so much faster than time."""
        self.processes += 1
        name = f"{self.name}-{kind}-{self.processes}"
        more = {**self._clock(at, f" x{rate:g}"), "FAKETIME_RATE": str(rate)}
        if kind == "beat":
            entry = ("-m", "celery", "-A", "project.celery")
            return self.rig.start(name, *BEAT, more=more, entry=entry)
        return self.rig.start(name, *APSCHEDULER, more=more)

    def _clock(self, at: datetime, rate: str = "") -> dict[str, str]:
        how = faked({"FAKETIME": f"@{at:%Y-%m-%d %H:%M:%S}{rate}", "TZ": "UTC"})
        return {**how, "DATABASE_URL": self.url}

    def fires(self) -> list[tuple[str, datetime, str, datetime]]:
        """Return each slot: its schedule, when, what became of it, when decided."""
        return [
            (name, instant(slot), state, instant(decided))
            for name, slot, state, decided in self.books.rows(FIRES)
        ]

    def has_come_to(self, moment: datetime) -> bool:
        """Say whether slots have been decided up to a moment."""
        latest = self.books.rows("SELECT max(slot) FROM core_fire")[0][0]
        return latest is not None and instant(latest) >= moment


def instant(text: str) -> datetime:
    """Return what SQLite keeps of an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
