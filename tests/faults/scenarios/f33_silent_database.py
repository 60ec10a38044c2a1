"""The network between workers and database forgets its connections: back in 30 s.

No reset tells anyone: the connections look alive, and no reply ever comes.
"""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=300)


def run(rig: Rig) -> None:
    proxy, through = rig.database_proxy()
    rig.work(through)
    customers = rig.order(seconds=lasting(30, 6))
    customers.have_ordered(0.3)
    with proxy.black_hole():
        time.sleep(lasting(30, 6))  # the fault's own clock
    customers.finish(600)
    judge(rig, 30 + rig.orders / 15)
