"""PostgreSQL is killed and recovers, three times: exact."""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(9, rig.orders / 20))
    for _ in range(3):
        time.sleep(lasting(10, 2))  # the fault's own clock
        rig.postgres.kill()
        rig.postgres.start()
    customers.finish(600)
    judge(rig, 90)
