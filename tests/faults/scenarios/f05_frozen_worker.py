"""A worker is stopped past its lease and goes on: what it then writes is refused."""

import psycopg

from tests.faults.judge import judge
from tests.faults.processes import Crew
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting
from tests.services.waiting import wait_for

SIZE = Size(orders=10_000, seeds=5)
#: Bodies that are frozen before their last writes: what goes on is more than one.
MARKS = 100
TABLE = "CREATE TABLE mark (number int)"
SEND = """
from core import send_many
from tests.faults.tasks import mark
send_many([mark.message(number) for number in range({number})])
"""
WRONG = """
    SELECT number, count(mark.number)
    FROM generate_series(0, {last}) number LEFT JOIN mark USING (number)
    GROUP BY number HAVING count(mark.number) <> 1
"""
REPLACED = """
    SELECT count(*), count(finished_at) FROM core_run WHERE id IN
        (SELECT run_id FROM core_attempt WHERE outcome IN ('crashed', 'unknown'))
"""


def run(rig: Rig) -> None:
    with psycopg.connect(rig.books.url) as connection:
        connection.execute(TABLE)
    rig.work()
    zombie = rig.work()
    customers = rig.order(seconds=max(6, rig.orders / 15))
    customers.have_ordered(0.3)
    rig.manage("shell", "-c", SEND.format(number=MARKS))
    wait_for(lambda: freeze_at_work(rig, zombie), 60, "it is frozen in a body")
    rig.until(lambda: has_replaced(rig), lasting(60, 20), "others have done its work")
    zombie.thaw()
    customers.finish(600)
    judge(rig, lasting(60 + rig.orders / 10, 60))
    wrong = rig.books.rows(WRONG.format(last=MARKS - 1))
    assert not wrong, f"marks that are not there once: {wrong}"


def has_replaced(rig: Rig) -> bool:
    """Say whether runs were rescued, and all of them have ended."""
    rescued, ended = rig.books.rows(REPLACED)[0]
    return 0 < rescued == ended


def freeze_at_work(rig: Rig, zombie: Crew) -> bool:
    """Freeze a crew that has runs in hand; otherwise leave it alone and say False."""
    zombie.freeze()
    if zombie.among(rig.books.at_work()):
        return True
    zombie.thaw()
    return False
