"""A worker is killed between the commit of a run and its ack: no second effect."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=40)


def run(rig: Rig) -> None:
    deaths = 4
    rig.work(rig.failpoint("run settled", deaths))
    rig.order(seconds=3).finish()
    judge(rig, 60)
    assert rig.deaths("run settled") == deaths
