"""Stock APScheduler with its jobs in memory: each sends a message of Celery's.

Only its own process can edit them, and it forgets them when it ends.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.cron import CronTrigger

from benchmarks.celery_stock import bump
from benchmarks.ticking import timing


class Still(BaseScheduler):
    """Without the thread that looks at what is due: it is done by hand here."""

    def wakeup(self) -> None:
        """Wait for the hand."""

    def shutdown(self, wait: bool = True) -> None:
        """End."""


class Sending:
    """Sends, and counts."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self) -> None:
        """Send one message."""
        bump.delay()
        self.sent += 1


def made(send: Sending, **when: Any) -> Still:
    """Return a scheduler with its jobs."""
    far = (datetime.now(UTC).month + 5) % 12 + 1
    scheduler = Still(timezone=UTC, executors={"default": DebugExecutor()})
    scheduler.start()
    for n in range(timing.count()):
        trigger = CronTrigger(minute=n % 60, hour=n % 24, month=far, timezone=UTC)
        scheduler.add_job(
            send, trigger, id=str(n), misfire_grace_time=None, name=str(n), **when
        )
    return scheduler


def main() -> None:
    """Measure."""
    scheduler = made(Sending())
    idle = timing.median_ms(scheduler._process_jobs, timing.IDLE_TICKS)

    def edit() -> None:
        scheduler.reschedule_job("7", trigger=CronTrigger(hour=7, timezone=UTC))
        scheduler._process_jobs()

    edited = timing.median_ms(edit, timing.EDITS)
    send = Sending()
    late = made(send, next_run_time=datetime.now(UTC) - timedelta(seconds=1))
    due = timing.due_s(late._process_jobs, lambda: send.sent)
    timing.tell(idle_ms=idle, **due, edit_ms=edited)


if __name__ == "__main__":
    main()
