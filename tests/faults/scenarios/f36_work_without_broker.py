"""Workers start while the broker is away, and 3,000 wait: at half the usual rate."""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import FULL, Size
from tests.services.waiting import wait_for

SIZE = Size(orders=3000, few=60)
#: Of the usual rate.
SHARE = 0.5


def run(rig: Rig) -> None:
    usual = rate(rig)
    rig.broker.kill()
    away = rate(rig)
    rig.broker.start()
    rig.measured |= {"per_s": round(usual, 1), "per_s_away": round(away, 1)}
    assert away >= SHARE * usual or not FULL  # of few orders, starting costs the most
    judge(rig, 30)


def rate(rig: Rig) -> float:
    """Have orders wait, start workers, and return how many runs end in a second."""
    rig.order().finish(600)
    waiting, start = rig.books.open_runs(), time.monotonic()
    crew = rig.begin()
    wait_for(lambda: rig.books.open_runs() == 0, 600, rig.tails())
    seconds = time.monotonic() - start
    crew.end()
    return waiting / seconds
