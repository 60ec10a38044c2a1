"""The producer is killed between its commit and the publish: relayed within 3 s."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.services.waiting import in_time

SIZE = Size(orders=1000, few=20)
RELAYED = 3


def run(rig: Rig) -> None:
    rig.work()
    times = max(3, rig.orders // 100)
    doomed = rig.failpoint("producer committed", times)
    for _ in range(times):
        rig.order(1, doomed, orders=1).ends(60)
    rig.order(seconds=3).finish()
    judge(rig, 60)
    assert rig.deaths("producer committed") == times
    slowest = rig.books.number(
        "SELECT extract(epoch FROM max(started_at - created_at)) * 1000 FROM core_run"
        " WHERE attempt = 1"
    )
    rig.measured["slowest_start_ms"] = slowest
    in_time(slowest / 1000, RELAYED * rig.patience, "relayed and started")
