"""Rollbacks, of savepoints and of nested blocks too: no run, no message."""

from tests.faults.brokers import waiting
from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000, few=20)
ROLLED_BACK = """
from django.db import transaction
from tests.faults.tasks import slow
class Regret(Exception): pass
def regretted(work):
    try:
        work()
    except Regret:
        pass
def plain():
    with transaction.atomic():
        slow.send(0)
        raise Regret
def nested():
    with transaction.atomic():
        with transaction.atomic():
            slow.send(0)
        raise Regret
def savepoint():
    with transaction.atomic():
        regretted(plain)
for _ in range(20):
    for work in (plain, nested, savepoint):
        regretted(work)
with transaction.atomic():
    slow.send(0)
    regretted(plain)
"""


def run(rig: Rig) -> None:
    rig.work()
    rig.order(seconds=2).finish()
    rig.manage("shell", "-c", ROLLED_BACK)
    judge(rig, 30)
    sent = "SELECT count(*) FROM core_run WHERE actor_name LIKE '%.slow'"
    assert rig.books.number(sent) == 1
    assert waiting(rig) == 0
