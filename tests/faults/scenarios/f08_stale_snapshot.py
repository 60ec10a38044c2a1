"""A stale snapshot of the broker is restored: its old messages take no effect."""

import shutil

from tests.faults.judge import everything_ends, judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
BROKERS = ("valkey",)


def run(rig: Rig) -> None:
    crew = rig.work()
    customers = rig.order(seconds=max(4, rig.orders / 20))
    customers.have_ordered(0.5)
    crew.freeze()  # so that there are messages at the broker
    customers.have_ordered(0.7)
    rig.broker.kill()
    snapshot = rig.folder / "snapshot"
    shutil.copytree(rig.broker.folder, snapshot)
    rig.broker.start()
    crew.thaw()
    customers.finish(600)
    everything_ends(rig, 60)
    rig.broker.kill()
    shutil.rmtree(rig.broker.folder)
    shutil.copytree(snapshot, rig.broker.folder)
    rig.broker.start()
    judge(rig, 60)
