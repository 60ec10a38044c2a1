"""django-celery-beat: schedules are rows, all of them are read again after an edit.

It holds Django below 6.1, so nothing here depends on it; see `benchmarks.schedules`.
"""

import os
from datetime import timedelta
from itertools import count as numbers

import django
from django.conf import settings
from django.utils import timezone

from benchmarks.celery_stock import app
from benchmarks.ticking import timing
from settings.databases import database

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django_celery_beat"],
    DATABASES={"default": database(os.environ["BENCH_DATABASE_URL"])},
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

from django.core.management import call_command  # noqa: E402  # it needs the settings
from django_celery_beat.models import CrontabSchedule, PeriodicTask  # noqa: E402  # needs the apps
from django_celery_beat.schedulers import DatabaseScheduler  # noqa: E402  # needs the apps

LONG_AGO = timedelta(days=800)


class Counting(DatabaseScheduler):
    """Counts what it has sent."""

    sent = 0

    def apply_entry(self, entry: object, producer: object = None) -> None:
        super().apply_entry(entry, producer)
        self.sent += 1


def make(number: int) -> None:
    """Write so many rows; nothing is due by itself."""
    far = (timezone.now().month + 5) % 12 + 1
    crons = {
        (n % 60, n % 24): CrontabSchedule(minute=n % 60, hour=n % 24, month_of_year=far)
        for n in range(number)
    }
    CrontabSchedule.objects.bulk_create(crons.values())
    tasks = [
        PeriodicTask(
            name=f"schedule {n}",
            task="bench.bump",
            crontab=crons[n % 60, n % 24],
            last_run_at=timezone.now(),
        )
        for n in range(number)
    ]
    PeriodicTask.objects.bulk_create(tasks)


def main() -> None:
    """Measure."""
    call_command("migrate", verbosity=0)
    make(timing.count())
    scheduler = Counting(app=app)
    scheduler.tick()
    idle = timing.median_ms(scheduler.tick, 20)
    task, priorities = PeriodicTask.objects.first(), numbers(1)

    def edit() -> None:
        task.priority = next(priorities)
        task.save()
        scheduler.tick()

    edited = timing.median_ms(edit, 5)
    PeriodicTask.objects.update(last_run_at=timezone.now() - LONG_AGO)
    late = Counting(app=app)
    due = timing.due_s(late.tick, lambda: late.sent)
    timing.tell(idle_ms=idle, **due, edit_ms=edited)


if __name__ == "__main__":
    main()
