"""Tasks kill their process or exceed its memory: they alone are given up."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=60)
#: No process may have more memory than that, bytes.
MEMORY = 4 * 2**30
SEND = """
from tests.faults.tasks import glutton, poison
for number in range({each}):
    poison.send()
    glutton.send()
"""


def run(rig: Rig) -> None:
    each = max(2, rig.orders * 3 // 100)
    rig.work(prefix=["prlimit", f"--as={MEMORY}"])
    customers = rig.order(seconds=max(4, rig.orders / 20))
    customers.have_ordered(0.2)
    rig.manage("shell", "-c", SEND.format(each=each))
    customers.finish(600)
    judge(rig, 120 + rig.orders / 15, dead=2 * each)
    lone = "SELECT min(lone_crashes) FROM core_run WHERE actor_name LIKE '%.poison'"
    assert rig.books.number(lone) == 3
