"""The broker is out of memory, then out of disk: no checkout takes more than 300 ms."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
ANSWERED = 300  # ms
NO_DISK = 'rabbit_disk_monitor:set_disk_free_limit("{limit}").'


def run(rig: Rig) -> None:
    rig.work()
    rig.broker.alarm()
    rig.order(seconds=max(3, rig.orders / 40)).finish(600)
    rig.broker.clear_alarm()
    if rig.broker.name == "rabbitmq":
        rig.broker.evaluate(NO_DISK.format(limit="100TB"))
    customers = rig.order(seconds=2, orders=20)
    customers.finish(600)
    if rig.broker.name == "rabbitmq":
        rig.broker.evaluate(NO_DISK.format(limit="50MB"))
    judge(rig, 90 + rig.orders / 15)
    times = sorted(ms for c in rig.customers for ms in c.confirmed.values())
    rig.measured["slowest_checkout_ms"] = times[-1]
    assert times[-1] <= ANSWERED * rig.patience
