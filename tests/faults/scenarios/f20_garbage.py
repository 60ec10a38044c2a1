"""Garbage of every kind is in the queue: parked and counted, no neighbour is hurt."""

from tests.faults.garbage import inject
from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.services.waiting import wait_for

SIZE = Size(orders=1000, few=30)


def run(rig: Rig) -> None:
    crew = rig.work()
    before = {process.pid for process in crew.children()}
    customers = rig.order(seconds=4)
    customers.have_ordered(0.3)
    number = inject(rig)
    customers.finish(600)
    judge(rig, 60)
    parked = lambda: rig.books.number("SELECT count(*) FROM core_parked")  # noqa: E731  # a condition
    wait_for(lambda: parked() >= number, 30 * rig.patience, f"{number} are parked")
    rig.measured["parked"] = parked()
    assert parked() == number
    assert {process.pid for process in crew.children()} == before
