"""Any number of schedulers at once: every slot exactly once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count

from core import every
from core.models import Fire, Run, Schedule
from core.schedules import tick
from tests.schedules.rows import MINUTE, NOON, WAITS, end, make, sent
from tests.services.threads import at_once
from tests.services.waiting import wait_for

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def test_schedulers_at_once_fire_every_slot_once() -> None:
    rows = [make(name=f"report {number}") for number in range(60)]
    for minute in range(1, 4):
        now = NOON + minute * MINUTE
        ticks = at_once(lambda n, now=now: tick(now=now, driver=str(n)), 6)
        assert sum(done.fired for done in ticks) == len(rows)
    assert Run.objects.count() == Fire.objects.count() == 3 * len(rows)
    slots = Fire.objects.values("schedule", "slot").annotate(number=Count("pk"))
    assert {slot["number"] for slot in slots} == {1}


def test_schedulers_at_once_let_go_of_a_waiting_slot_once() -> None:
    row = make(overlap="queue", options=WAITS)
    for minute in (1, 2, 3):
        tick(now=NOON + minute * MINUTE)
    end(sent(row)[0])
    ticks = at_once(lambda n: tick(now=NOON + 3 * MINUTE, driver=str(n)), 6)
    assert sum(done.fired for done in ticks) == 1
    assert Run.objects.count() == 2


def test_unique_constraint_prevents_a_second_fire() -> None:
    row = make()
    twins = [Fire(schedule=row, slot=NOON + MINUTE, state="fired", decided_at=NOON)]

    def be_faster(execute: Any, sql: str, *rest: Any) -> Any:
        # As another scheduler would, where a database has no row locks.
        if sql.startswith('INSERT INTO "core_fire"') and twins:
            twins.pop().save()
        return execute(sql, *rest)

    with connection.execute_wrapper(be_faster):
        assert tick(now=NOON + MINUTE).fired == 0
    assert twins == []
    assert Run.objects.count() == 0
    assert tick(now=NOON + MINUTE).fired == 1


@contextmanager
def scheduler(name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a scheduler in a process of its own."""
    names = {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.schedules.scheduler", name],
        env={**os.environ, **names},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_two_processes_and_a_killed_one_leave_no_gap() -> None:
    for number in range(10):
        row = make(every(seconds=1), name=f"second {number}")
        now = datetime.now(UTC).replace(microsecond=0)
        Schedule.objects.filter(pk=row.pk).update(after=now, next_at=now)
    with scheduler("one") as one, scheduler("two"):
        wait_for(both_have_fired, 60)
        one.send_signal(signal.SIGKILL)
        seen = Fire.objects.count()
        wait_for(lambda: Fire.objects.count() > seen + 30, 60)
    for row in Schedule.objects.all():
        fires = list(Fire.objects.filter(schedule=row).order_by("slot"))
        assert {fire.state for fire in fires} == {"fired"}
        slots = [fire.slot for fire in fires]
        assert slots == [slots[0] + timedelta(seconds=n) for n in range(len(slots))]
    assert Run.objects.count() == Fire.objects.count()


def both_have_fired() -> bool:
    drivers = Fire.objects.values_list("driver", flat=True)
    return {"one", "two"} <= set(drivers) and len(drivers) >= 40
