"""Switchyard: schedules are rows, and so is each fire, beside its run."""

import os
from datetime import timedelta

import django
from django.db import connection
from django.db.models.functions import Now

from benchmarks.ticking import timing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
django.setup()

from benchmarks.tasks import bump  # noqa: E402  # it needs the apps
from core.models import Schedule  # noqa: E402  # needs the apps
from core.schedules import tick  # noqa: E402  # needs the apps
from core.triggers import crontab, version  # noqa: E402  # needs the apps


def make(number: int) -> None:
    """Write so many rows; nothing is due by itself."""
    rows = [
        Schedule(
            name=f"schedule {n}",
            actor_name=bump.actor_name,
            trigger=crontab(f"{n % 60} {n % 24} * * *", tz="Europe/Berlin").asdict(),
            zones=version(),
            after=Now(),
            next_at=Now() + timedelta(days=1),
        )
        for n in range(number)
    ]
    for row in rows:
        row.digest = row.timetable(row.said).digest
    Schedule.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def main() -> None:
    """Measure."""
    make(timing.count())
    idle = timing.median_ms(tick, timing.IDLE_TICKS)
    rows = iter(Schedule.objects.all()[: timing.EDITS])

    def edit() -> None:
        row = next(rows)
        row.trigger = crontab("7 7 * * *", tz="Europe/Berlin").asdict()
        row.save()
        tick()

    edited = timing.median_ms(edit, timing.EDITS)
    yesterday = Now() - timedelta(days=1)
    Schedule.objects.update(after=yesterday, next_at=yesterday)
    fired: list[int] = []
    due = timing.due_s(lambda: fired.append(tick().fired), lambda: sum(fired))
    timing.tell(idle_ms=idle, **due, edit_ms=edited)


if __name__ == "__main__":
    main()
