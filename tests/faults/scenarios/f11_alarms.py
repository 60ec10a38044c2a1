"""The broker is out of memory, then out of disk: no checkout takes more than 300 ms."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.services.waiting import in_time

SIZE = Size(orders=1000)
ANSWERED = 0.3
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
    # The first one of a process also connects, and imports what it needs.
    times = [ms for c in rig.customers for ms in list(c.confirmed.values())[1:]]
    rig.measured["slowest_checkout_ms"] = max(times)
    in_time(max(times) / 1000, ANSWERED * rig.patience, "the slowest checkout")
