"""A rolling deploy: what the old release does not know waits, what it does it ends."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
NEW = {"FAULTS_RELEASE": "new"}
SEND = """
from tests.faults.tasks import fresh
for _ in range(10):
    fresh.send()
"""
SEND_SLOW = """
from tests.faults.tasks import slow
for _ in range(16):
    slow.send(4)
"""


def run(rig: Rig) -> None:
    old = rig.work()
    customers = rig.order(seconds=max(6, rig.orders / 20))
    customers.have_ordered(0.2)
    rig.manage("shell", "-c", SEND, more=NEW)
    unknown = "SELECT count(*) FROM core_attempt WHERE outcome = 'unknown'"
    rig.until(lambda: rig.books.number(unknown), 30, "the old release met the new")
    rig.manage("shell", "-c", SEND_SLOW)
    slow = "actor_name LIKE '%.slow' AND state = 'running'"
    running = f"SELECT count(*) FROM core_run WHERE {slow}"  # noqa: S608  # our own
    rig.until(lambda: rig.books.number(running), 30, "long work is under way")
    rig.work(NEW)
    old.end()
    customers.finish(600)
    judge(rig, 60)
    crashed = "SELECT count(*) FROM core_attempt WHERE outcome = 'crashed'"
    assert rig.books.number(crashed) == 0, "the graceful stop left work behind"
