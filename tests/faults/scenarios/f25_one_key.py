"""200 checkouts at once with one idempotency key: one order, one run of each task."""

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=20)
#: Prints how many different runs came of the sends, and orders of the checkouts.
AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from django.db import connections
from tests.faults.management.commands.place_orders import place
from tests.faults.tasks import slow
barrier = Barrier(50)
def submit(number):
    barrier.wait()
    sent = slow.send_with_options(args=(0,), idempotency_key="the-same")
    ordered = place("the-same")
    connections.close_all()
    return sent.message_id, ordered
with ThreadPoolExecutor(50) as pool:
    sent, ordered = zip(*pool.map(submit, range(200)))
print(len(set(sent)), len(set(ordered)))
"""


def run(rig: Rig) -> None:
    rig.work()
    rig.order(seconds=2).finish()
    before = rig.books.number("SELECT count(*) FROM core_run")
    assert rig.manage("shell", "-c", AT_ONCE).split()[-2:] == ["1", "1"]
    # The sent one, and the three tasks of the order.
    assert rig.books.number("SELECT count(*) FROM core_run") == before + 4
    judge(rig, 30)
