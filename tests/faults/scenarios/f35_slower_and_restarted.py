"""Fast messages, then slow ones, then all workers anew: what only waits is not resent.

The pace of a moment ago has filled the broker, and those who come have yet to begin.
"""

import psycopg

from tests.faults.brokers import waiting
from tests.faults.judge import everything_ends, judge
from tests.faults.rig import Rig
from tests.faults.scenarios.f22_backlog import WATCH
from tests.faults.sizes import FULL, Size
from tests.services.waiting import wait_for

SIZE = Size(orders=20, few=5)
FAST, SLOW = (6000, 300) if FULL else (1500, 60)
SLOTS = 4
SEND = """
from core import send_many
from tests.faults.tasks import slow
send_many([slow.message({seconds}) for _ in range({number})])
"""


def run(rig: Rig) -> None:
    with psycopg.connect(rig.books.url) as connection:
        connection.execute(WATCH)
    crew = rig.work(processes=1, threads=SLOTS)
    rig.manage("shell", "-c", SEND.format(seconds=0, number=FAST))
    rig.manage("shell", "-c", SEND.format(seconds=1, number=SLOW))
    done = lambda: rig.books.states()["succeeded"] >= FAST  # noqa: E731  # a condition
    wait_for(done, 120, "the fast ones are done")
    crew.end()
    rig.measured["there"] = waiting(rig)
    assert waiting(rig) > 2 * SLOTS, "the pace has filled the broker"
    rig.work(processes=1, threads=SLOTS)
    everything_ends(rig, 60 + SLOW)
    resent = rig.books.number("SELECT count(*) FROM resent")
    rig.measured["resent"] = resent
    assert resent == 0
    rig.order(seconds=1).finish()
    judge(rig, 30)
