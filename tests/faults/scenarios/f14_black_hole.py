"""The network between workers and broker swallows all for 90 s: back within 60 s."""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    proxy, through = rig.broker_proxy()
    rig.work(through)
    customers = rig.order(seconds=lasting(60, 8))
    customers.have_ordered(0.3)
    with proxy.black_hole():
        time.sleep(lasting(90, 8))  # the fault's own clock
    customers.finish(600)
    judge(rig, 60 + rig.orders / 15)
