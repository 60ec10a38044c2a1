"""A relay is killed between the publish and its mark: the copies take no effect."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=40)


def run(rig: Rig) -> None:
    times = 3
    doomed = rig.failpoint("relay published", times)
    proxy, cut_off = rig.broker_proxy()
    for _ in range(times):
        crew = rig.work(doomed)
        # Customers without a broker: all that they order is the relay's to publish.
        with proxy.down():
            customers = rig.order(1, cut_off, orders=rig.orders // times)
            crew.process.wait(60)
            customers.finish()
    rig.work()
    judge(rig, 60)
    assert rig.deaths("relay published") == times
