"""Celery Beat as a driver: it keeps the time, the registry says what is due.

    celery -A project.celery beat -S backends.celery.beat.Scheduler

Beat's own entries (`beat_schedule`) are left alone: `@actor(schedule=...)`, SCHEDULES
and the admin say what fires. Any number of Beats may run.
"""

import signal
from collections.abc import Mapping
from typing import Any

from celery import Celery, beat

from core.schedules import Driver


class Scheduler(beat.Scheduler):
    """Asks the registry at each of Beat's ticks."""

    def setup_schedule(self) -> None:
        self.driver = Driver("beat")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fire what is due; return for how many seconds Beat may sleep."""
        return self.driver.tick()

    @property
    def schedule(self) -> Mapping[str, Any]:
        """Nothing that Beat would have to know."""
        return {}

    def sync(self) -> None:
        """Write nothing at the end: every tick has written what it did."""


def run() -> None:
    """Run a Beat in this process until SIGTERM or SIGINT."""
    app = Celery("switchyard", set_as_current=False, fixups=[])
    service = beat.Service(app, scheduler_cls=Scheduler)
    signal.signal(signal.SIGTERM, lambda *_: service.stop())
    service.start()
