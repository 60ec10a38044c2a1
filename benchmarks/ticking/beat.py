"""Stock Celery Beat: its schedules are in the settings, an edit takes a restart."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import beat
from celery.schedules import crontab

from benchmarks.celery_stock import app
from benchmarks.ticking import timing

LONG_AGO = timedelta(days=800)


class Counting(beat.Scheduler):
    """Counts what it has sent."""

    sent = 0

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        super().apply_entry(entry, producer)
        self.sent += 1


def main() -> None:
    """Measure."""
    now = datetime.now(UTC)
    far = (now.month + 5) % 12 + 1
    app.conf.beat_schedule = {
        f"schedule {n}": {
            "task": "bench.bump",
            "schedule": crontab(minute=n % 60, hour=n % 24, month_of_year=far),
        }
        for n in range(timing.count())
    }
    scheduler = Counting(app)
    scheduler.tick()
    idle = timing.median_ms(scheduler.tick, 20)
    for entry in scheduler.schedule.values():
        entry.last_run_at = now - LONG_AGO
    scheduler._heap = None  # it is made anew, with what is due
    due = timing.due_s(scheduler.tick, lambda: scheduler.sent)
    timing.tell(idle_ms=idle, **due, edit_ms=None)


if __name__ == "__main__":
    main()
