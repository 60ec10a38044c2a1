"""APScheduler as a driver: it keeps the time, the registry says what is due.

`run()` is a scheduler of our own; `add_to(scheduler)` joins one that you have already.
"""

import time
from datetime import UTC, datetime, timedelta

from apscheduler.executors.debug import DebugExecutor
from apscheduler.job import Job
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from core.schedules import BUSY_WAIT, Driver
from core.worker.signals import when_told

#: The id of our job, and the name of its store and of its executor.
NAME = "switchyard"
#: Seconds between two looks whether a scheduler that is to stop has started.
LOOK_SECONDS = 0.1


class Ticking(BaseTrigger):
    """The job, and the trigger of its next run: as soon as its last tick said."""

    def __init__(self) -> None:
        self.driver = Driver("apscheduler")
        self.wait = BUSY_WAIT  # never 0: APScheduler would ask for ever

    def __call__(self) -> None:
        """Fire what is due."""
        self.wait = self.driver.tick()

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime:
        """Return when to tick next."""
        return now + timedelta(seconds=self.wait)


def add_to(scheduler: BlockingScheduler) -> Job:
    """Have an APScheduler of yours drive the schedules, beside its own jobs.

    A `BackgroundScheduler` is one, too. Ticks run in the scheduler's own thread: only
    there is the next one known before APScheduler asks for it. A job that changed its
    own time from another thread would wait for ever at a shutdown.
    """
    scheduler.add_executor(DebugExecutor(), NAME)
    # In memory, whatever your other jobs are kept in: nothing of it needs to be kept.
    scheduler.add_jobstore(MemoryJobStore(), NAME)
    ticking = Ticking()
    return scheduler.add_job(
        ticking,
        ticking,
        id=NAME,
        executor=NAME,
        jobstore=NAME,
        coalesce=True,
        misfire_grace_time=None,
    )


def run() -> None:
    """Run an APScheduler in this process until SIGTERM or SIGINT."""
    scheduler = BlockingScheduler(timezone=UTC)
    add_to(scheduler)

    def stop() -> None:
        while not scheduler.running:  # told before its start
            time.sleep(LOOK_SECONDS)
        scheduler.shutdown()

    with when_told(stop):
        scheduler.start()
