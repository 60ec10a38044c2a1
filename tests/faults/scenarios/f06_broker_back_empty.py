"""The broker is killed and comes back empty: noticed within 30 s, drained within 60."""

import shutil

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=10_000, seeds=5)


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(4, rig.orders / 20))
    customers.have_ordered(0.5)
    rig.broker.kill()
    shutil.rmtree(rig.broker.folder)
    rig.broker.start()
    customers.finish(600)
    judge(rig, 60 + (rig.orders / 10 if rig.orders > 1000 else 0))
