"""No scheduler for 3 h, by the clock of libfaketime: what is made up for is the rule's.

A driver is killed, another one is started 3 h later; see `nights`. What is due then is
told by the oracle, and the rule is written down here anew.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.faults.nights import ALL, KINDS, Night
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.schedules.oracle import Asked
from tests.schedules.walk import Walk

SIZE = Size(orders=1, few=1)
ENGINES, BROKERS = ("celery",), ("valkey",)
TZ = "Europe/Berlin"
START = datetime(2026, 5, 1, 0, 0, 30, tzinfo=UTC)
RATE = 240
DOWN = timedelta(hours=3)
HOUR = timedelta(hours=1)
POLICIES = {
    "skip": {"missed": "skip"},
    "latest": {"missed": "latest"},
    "all": {"missed": "all", "missed_max": 4},
    "window": {"missed": "all", "missed_max": 50, "window": HOUR},
}
ASKED = {name: Asked("*/20 * * * *") for name in POLICIES}
MARK = "minute"
#: A slot up to so late has not been missed.
ON_TIME = timedelta(seconds=15)


def run(rig: Rig) -> None:
    for first, second in (KINDS, KINDS[::-1]):
        night = Night(rig, f"{first}-then-{second}")
        asked = {**ASKED, MARK: Asked("* * * * *")}
        night.make(START, TZ, asked, **{**POLICIES, MARK: ALL})
        driver = night.drive(first, START, RATE)
        rig.until(lambda n=night: n.has_come_to(START + HOUR), 120, "an hour passes")
        driver.kill()
        back = max(decided for _, _, _, decided in night.fires()) + DOWN
        driver = night.drive(second, back, RATE)
        rig.until(lambda n=night, b=back: n.has_come_to(b + HOUR), 120, "it is back")
        driver.end()
        for name in POLICIES:
            made_up_for_by_the_rule(night, name, back)


def made_up_for_by_the_rule(night: Night, name: str, back: datetime) -> None:
    """Assert what the first tick after the gap has made of the slots that were due."""
    fires = [fire[1:] for fire in night.fires() if fire[0] == name]
    before = max(slot for slot, _, decided in fires if decided < back)
    tick = min(decided for _, _, decided in fires if decided >= back)
    decided = [(slot, state) for slot, state, at in fires if at == tick]
    walk = Walk(TZ, START.replace(second=0), tick + timedelta(minutes=1))
    due = walk.slots(ASKED[name], (before + timedelta(seconds=1), tick))
    assert [slot for slot, _ in decided] == due
    assert len(due) >= DOWN / timedelta(minutes=20)
    fired = [slot for slot, state in decided if state == "fired"]
    assert fired == chosen(name, due, tick), name


def chosen(name: str, due: Sequence[datetime], tick: datetime) -> list[datetime]:
    """Return what fires: what is on time, and the newest of what was missed."""
    on_time = [slot for slot in due if tick - slot <= ON_TIME]
    if name == "skip":
        return on_time
    if name == "window":
        return [slot for slot in due if tick - slot <= HOUR]
    number = 1 if name == "latest" else 4
    return list(due[-max(number, len(on_time)) :])
