"""Three schedulers of both kinds, killed and frozen by turns: every slot once."""

import os
import signal
import time

from tests.faults.rig import Rig
from tests.faults.schedules import every_second, every_slot_once, have_fired, scheduler
from tests.faults.sizes import Size

SIZE = Size(orders=1, few=1)
SCHEDULES = 20
FAULTS = 20
#: Between two faults, and as long as somebody stands still, s.
PAUSE, FROZEN = 2, 3


def run(rig: Rig) -> None:
    rig.work()
    every_second(rig, SCHEDULES)
    kinds = ["beat", "apscheduler", "beat"]
    crowd = [scheduler(rig, kind) for kind in kinds]
    for kind in set(kinds):
        have_fired(rig, kind)
    for number in range(FAULTS):
        time.sleep(PAUSE)  # the fault's own clock
        victim = rig.chance.randrange(len(crowd))
        if number % 2:
            os.kill(crowd[victim].pid, signal.SIGSTOP)
            time.sleep(FROZEN)  # the fault's own clock
            os.kill(crowd[victim].pid, signal.SIGCONT)
        else:
            crowd[victim].kill()
            crowd[victim] = scheduler(rig, kinds[victim])
    for kind in set(kinds):
        have_fired(rig, kind)
    for one in crowd:
        one.end()
    rig.measured |= {"faults": FAULTS}
    every_slot_once(rig, SCHEDULES, 60)
