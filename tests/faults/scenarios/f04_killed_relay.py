"""A relay is killed between the publish and its mark: the copies take no effect."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=40)


def run(rig: Rig) -> None:
    times = 3
    doomed = rig.failpoint("relay published", times)
    proxy, cut_off = rig.broker_proxy()
    with proxy.down():
        for _ in range(times):
            # Customers without a broker: all that they order is the relay's to publish.
            rig.order(1, cut_off, orders=rig.orders // times).finish()
            # What waits may kill it before anybody has seen its workers.
            rig.begin(doomed).ends(60)
    rig.work()
    judge(rig, 60)
    assert rig.deaths("relay published") == times
