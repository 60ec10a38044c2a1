"""Celery Beat and APScheduler, as real processes: the same slots, each once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from django.core.management import CommandError, call_command
from django.db import connection

from backends.apscheduler import add_to
from core import every
from core.models import Fire, Run, Schedule
from tests.conformance import tasks
from tests.schedules.rows import make
from tests.services.waiting import PATIENCE, in_time, wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.slow,
]

MANAGE = [sys.executable, "manage.py", "scheduler"]
COMMANDS = {
    "beat": [*MANAGE, "--driver=beat"],
    "apscheduler": [*MANAGE, "--driver=apscheduler"],
}


@contextmanager
def scheduler(kind: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a driver in a process of its own."""
    names = {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
    process = subprocess.Popen(COMMANDS[kind], env={**os.environ, **names})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def every_second(number: int = 5) -> None:
    """Make schedules that fire each second from now on."""
    for index in range(number):
        row = make(
            every(seconds=1),
            name=f"second {index}",
            actor_name=tasks.note.actor_name,
            args=[f"second {index}"],
        )
        now = datetime.now(UTC).replace(microsecond=0)
        Schedule.objects.filter(pk=row.pk).update(after=now, next_at=now)


def have_fired(kind: str, number: int) -> None:
    """Wait until a kind of driver has fired so many slots."""
    fires = Fire.objects.filter(driver__startswith=f"{kind} ")
    wait_for(lambda: fires.count() >= number, 60, f"{kind} fires")


def each_slot_once() -> None:
    """Assert that no slot is left out, and each has one run."""
    for row in Schedule.objects.filter(name__startswith="second"):
        slots = list(
            Fire.objects.filter(schedule=row, state="fired")
            .order_by("slot")
            .values_list("slot", flat=True)
        )
        first = slots[0]
        assert slots == [first + timedelta(seconds=n) for n in range(len(slots))]
    assert Run.objects.count() == Fire.objects.filter(state="fired").count()


@pytest.mark.parametrize("kind", COMMANDS)
def test_driver_fires_every_slot_once_and_stops_when_told(kind: str) -> None:
    every_second()
    with scheduler(kind) as process:
        have_fired(kind, 20)
        process.terminate()
        assert process.wait(20) == 0
    each_slot_once()
    fires = Fire.objects.filter(slot__isnull=False).order_by("slot")
    late = [fire.decided_at - fire.slot for fire in fires]
    assert min(late) >= timedelta(0)
    # Once it had caught up with what was due before it had started.
    in_time(late[-1].total_seconds(), 3 * PATIENCE, "the last slot")


def test_drivers_of_both_kinds_survive_each_other() -> None:
    every_second()
    with ExitStack() as stack:
        beat = stack.enter_context(scheduler("beat"))
        apscheduler = stack.enter_context(scheduler("apscheduler"))
        have_fired("beat", 5)
        have_fired("apscheduler", 5)
        if connection.vendor != "sqlite":  # there it may stop with the only lock
            apscheduler.send_signal(signal.SIGSTOP)
        have_fired("beat", Fire.objects.filter(driver__startswith="beat").count() + 15)
        apscheduler.send_signal(signal.SIGCONT)
        beat.kill()
        have_fired(
            "apscheduler",
            Fire.objects.filter(driver__startswith="apscheduler").count() + 15,
        )
    each_slot_once()


@pytest.mark.parametrize("kind", COMMANDS)
def test_driver_goes_on_after_its_database_was_away(kind: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a file is never away")
    every_second()
    with scheduler(kind):
        have_fired(kind, 5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        have_fired(kind, Fire.objects.count() + 15)
    each_slot_once()


def test_scheduler_of_yours_can_drive_the_schedules() -> None:
    every_second()
    yours = BackgroundScheduler(timezone=UTC)
    add_to(yours)
    yours.start()
    try:
        have_fired("apscheduler", 15)
    finally:
        yours.shutdown()
    each_slot_once()


def test_celery_beat_takes_the_scheduler_by_name() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("tried on the database that DATABASE_URL can name")
    every_second()
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    environment = {"DJANGO_SETTINGS_MODULE": "settings.dev", "DATABASE_URL": url}
    path = "backends.celery.beat.Scheduler"
    command = [sys.executable, "-m", "celery", "-A", "project.celery", "beat"]
    row = make(every(seconds=1), actor_name="shop.tasks.generate_sales_report")
    Schedule.objects.filter(pk=row.pk).update(args=["2026-01-31"])
    process = subprocess.Popen(
        [*command, "-S", path, "--pidfile="], env={**os.environ, **environment}
    )
    try:
        have_fired("beat", 3)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_driver_that_is_not_there_is_refused() -> None:
    with pytest.raises(CommandError, match=r"'cron'.*apscheduler"):
        call_command("scheduler", driver="cron")
