"""Retention at work under load: what is young stays, keys hold, nothing is lost."""

import json

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
#: Kept of those that succeeded; the clock deletes a batch of the others each second.
COUNT = 40
RETENTION = {"succeeded": {"count": COUNT}, "dead": {"age": 3600}}
SEND = """
from tests.faults.tasks import slow
print(slow.send_with_options(args=(0,), idempotency_key="kept").message_id)
"""


def run(rig: Rig) -> None:
    short = {"FAULTS_RETENTION": json.dumps(RETENTION)}
    rig.work(short)
    first = rig.manage("shell", "-c", SEND).split()[-1]
    rig.order(seconds=max(6, rig.orders / 20)).finish(600)
    judge(rig, 60 + rig.orders / 15)
    kept = "SELECT count(*) FROM core_run WHERE state = 'succeeded'"
    rig.until(lambda: rig.books.number(kept) <= COUNT, 90, "the old runs are deleted")
    gone = f"SELECT count(*) FROM core_run WHERE id = '{first}'"  # noqa: S608  # ours
    assert rig.books.number(gone) == 0
    assert rig.manage("shell", "-c", SEND).split()[-1] == first
    assert rig.books.number(gone) == 0
    assert rig.books.number(kept) == COUNT
