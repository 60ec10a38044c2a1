"""The broker is killed again and again while it is published to: nothing is lost."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(6, rig.orders / 20))
    for share in (0.3, 0.6):
        customers.have_ordered(share)
        rig.broker.kill()
        rig.broker.start()
    customers.finish(600)
    judge(rig, 90)
