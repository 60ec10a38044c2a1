"""Schedules, with either driver."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core import every
from core.models import Fire, Schedule
from tests.conformance.stacks import PROJECT, Stack, effects
from tests.conformance.tasks import note
from tests.services.logs import watch
from tests.services.server import guard, stop
from tests.services.waiting import wait_for

pytestmark = pytest.mark.slow

FIRES = 3


@contextmanager
def driving(kind: str, stack: Stack) -> Iterator[None]:
    """Run `manage.py scheduler` with a driver."""
    log = stack.log.with_name(f"{kind}.log")
    watch(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "scheduler", f"--driver={kind}"],
            cwd=PROJECT,
            env=stack.variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guarded = guard(process.pid)
    try:
        yield
    finally:
        stop(process, 40)
        guarded.communicate(b"\n")


@contextmanager
def each_second(stack: Stack, key: str) -> Iterator[Schedule]:
    """Have a schedule that fires each second, a few times."""
    row = Schedule(
        name=key,
        actor_name=note.actor_name,
        trigger=every(seconds=1).asdict(),
        args=[key],
        options={"broker": stack.alias},
        max_fires=FIRES,
        missed="skip",
    )
    row.save()
    try:
        yield row
    finally:
        Schedule.objects.all().delete()


@pytest.mark.parametrize("driver", ["beat", "apscheduler"])
def test_every_slot_of_a_schedule_runs_once(
    stack: Stack, key: str, driver: str
) -> None:
    with each_second(stack, key) as row, driving(driver, stack):
        wait_for(lambda: effects(key) == FIRES, 60, stack.tail())
        fires = Fire.objects.filter(schedule=row, state="fired").order_by("slot")
        slots = [fire.slot for fire in fires if fire.slot]
        assert len(set(slots)) == len({fire.run_id for fire in fires}) == FIRES
        assert all(slot.microsecond == 0 for slot in slots)
        assert all(fire.driver.startswith(driver) for fire in fires)
