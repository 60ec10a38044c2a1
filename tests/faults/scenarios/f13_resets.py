"""One in a hundred replies of the broker is a reset of the connection: exact."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=10_000, seeds=5, few=150)
SHARE = 0.01


def run(rig: Rig) -> None:
    proxy, through = rig.broker_proxy()
    rig.work(through)
    proxy.reset_share = SHARE
    rig.order(max(6, rig.orders / 25), through).finish(1200)
    judge(rig, 60 + rig.orders / 10)
    rig.measured["resets"] = proxy.resets
    assert rig.measured["resets"] > 0
