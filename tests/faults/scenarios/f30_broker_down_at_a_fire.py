"""The broker is down while schedules fire: no fire is lost, and every one runs once."""

from tests.faults.rig import Rig
from tests.faults.schedules import every_second, every_slot_once, have_fired, scheduler
from tests.faults.sizes import Size

SIZE = Size(orders=1, few=1)
SCHEDULES = 20
KINDS = ("beat", "apscheduler")


def run(rig: Rig) -> None:
    rig.work()
    every_second(rig, SCHEDULES)
    crowd = [scheduler(rig, kind) for kind in KINDS]
    for kind in KINDS:
        have_fired(rig, kind)
    rig.broker.kill()
    for kind in KINDS:
        # 20 s of them, while nothing can be published.
        have_fired(rig, kind, more=10 * SCHEDULES)
    rig.broker.start()
    for kind in KINDS:
        have_fired(rig, kind)
    for one in crowd:
        one.end()
    every_slot_once(rig, SCHEDULES, 90)
