"""FLUSHALL, or queues purged and deleted: noticed within 30 s, drained within 60."""

from tests.faults.brokers import delete_queues, forget_messages
from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(4, rig.orders / 20))
    customers.have_ordered(0.3)
    forget_messages(rig)
    customers.have_ordered(0.6)
    delete_queues(rig)
    customers.finish(600)
    judge(rig, 90)
