"""All dead runs of an actor are requeued while workers run: each runs once more."""

import time

import psycopg

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.services.waiting import wait_for

#: As many dead runs as orders, ten times.
SIZE = Size(orders=1000, few=60)
TABLE = "CREATE TABLE mark (number int)"
SEND = """
from core import send_many
from tests.faults.tasks import breaks_until
messages = [breaks_until.message({file!r}, number) for number in range({number})]
for first in range(0, len(messages), 500):
    send_many(messages[first : first + 500])
"""
DEAD = "SELECT count(*) FROM core_run WHERE state = 'dead'"
TRIED = "SELECT DISTINCT attempt FROM core_run WHERE actor_name LIKE '%breaks_until'"
AUDITED = "SELECT verb, changed FROM core_auditentry"
ACTOR = "tests.faults.tasks.breaks_until"


def run(rig: Rig) -> None:
    number, file = 10 * rig.orders, rig.folder / "mended"
    with psycopg.connect(rig.books.url) as connection:
        connection.execute(TABLE)
    rig.work()
    rig.manage("shell", "-c", SEND.format(file=str(file), number=number))
    wait_for(lambda: rig.books.number(DEAD) == number, 600, rig.tails())
    file.touch()
    customers = rig.order(seconds=max(4, rig.orders / 20))
    start = time.monotonic()
    told = rig.manage("tasks", "requeue", "--state=dead", f"--actor={ACTOR}")
    rig.measured["requeue_s"] = round(time.monotonic() - start, 1)
    assert f"Changed {number} runs." in told
    customers.finish(600)
    judge(rig, 60 + number / 50)
    rig.measured["done_s"] = round(time.monotonic() - start, 1)
    marks = "SELECT count(*), count(DISTINCT number) FROM mark"
    assert rig.books.rows(marks) == [(number, number)]
    assert rig.books.rows(TRIED) == [(2,)]
    assert rig.books.rows(AUDITED) == [("requeue_all", number)]
