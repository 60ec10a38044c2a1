"""Schedules of each second on the shop's own database, and who fires them."""

from datetime import datetime, timedelta

from tests.faults.judge import everything_ends
from tests.faults.processes import Program
from tests.faults.rig import Rig

MAKE = """
from core import every
from core.models import Schedule
from tests.faults.tasks import idle
for number in range({number}):
    trigger = every(seconds=1).asdict()
    said = dict(missed="all", missed_max=1000)
    name = f"second {{number}}"
    Schedule(name=name, actor_name=idle.actor_name, trigger=trigger, **said).save()
"""
SECOND = timedelta(seconds=1)
SLOTS = """
    SELECT s.name, f.slot, f.state, f.driver
    FROM core_fire f JOIN core_schedule s ON s.id = f.schedule_id
    WHERE s.origin = 'admin' ORDER BY f.slot
"""


def every_second(rig: Rig, number: int) -> None:
    """Make schedules that fire each second, however late."""
    rig.manage("shell", "-c", MAKE.format(number=number))


def scheduler(rig: Rig, kind: str) -> Program:
    """Start `manage.py scheduler` with a driver of this kind."""
    name = f"scheduler-{len(rig.programs)}-{kind}"
    return rig.start(name, "scheduler", f"--driver={kind}")


def fired(rig: Rig, kind: str = "") -> int:
    """Count the slots that drivers of a kind have fired."""
    sql = f"SELECT count(*) FROM core_fire WHERE driver LIKE '{kind}%'"  # noqa: S608  # ours
    return rig.books.number(sql)


def have_fired(rig: Rig, kind: str, more: int = 20) -> None:
    """Wait until drivers of a kind have fired so many slots more."""
    wanted = fired(rig, kind) + more
    rig.until(lambda: fired(rig, kind) >= wanted, 60, f"{kind} fires\n{rig.tails()}")


def every_slot_once(rig: Rig, number: int, within: float) -> None:
    """Assert it once all schedulers have ended: no gap, no double, all runs done."""
    everything_ends(rig, within)
    rows = rig.books.rows(SLOTS)
    assert {state for _, _, state, _ in rows} == {"fired"}
    slots: dict[str, list[datetime]] = {}
    for name, slot, _, _ in rows:
        slots.setdefault(name, []).append(slot)
    assert len(slots) == number
    for name, found in slots.items():
        wanted = [found[0] + n * SECOND for n in range(len(found))]
        assert found == wanted, f"{name} has a gap or a double"
    done = "SELECT count(DISTINCT f.run_id) FROM core_fire f JOIN core_run r"
    done += (
        " ON r.id = f.run_id AND r.state = 'succeeded' AND r.actor_name LIKE '%.idle'"
    )
    sent = "SELECT count(*) FROM core_run WHERE actor_name LIKE '%.idle'"
    assert rig.books.number(done) == rig.books.number(sent) == len(rows)
    rig.measured |= {"slots": len(rows)}
