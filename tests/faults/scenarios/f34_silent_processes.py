"""A process is stopped, others hang in bodies that hold Python's lock: all replaced."""

import signal
import time

from tests.faults.judge import judge
from tests.faults.processes import Crew
from tests.faults.rig import Rig
from tests.faults.sizes import Size
from tests.services.waiting import wait_for

SIZE = Size(orders=300, few=30)
#: More than may be alone at once beside one process.
HOLDERS = 3
SEND = f"""
from core import send_many
from tests.faults.tasks import hold
send_many([hold.message() for _ in range({HOLDERS})])
"""


def run(rig: Rig) -> None:
    crew = rig.work(processes=1)
    customers = rig.order(seconds=max(4, rig.orders / 20))
    customers.have_ordered(0.2)
    stopped = {process.pid for process in crew.children()}
    for process in crew.children():
        process.send_signal(signal.SIGSTOP)
    are_replaced(rig, crew, stopped, "stopped")
    rig.manage("shell", "-c", SEND)
    wait_for(lambda: holding(rig), 60, "a body holds Python's lock")
    are_replaced(rig, crew, holding(rig), "held")
    customers.finish(600)
    # Each is alone three times, two of them at once, for as long as a silence may be.
    judge(rig, 240 + rig.orders / 15, dead=HOLDERS)


def holding(rig: Rig) -> set[int]:
    """Return the processes in which a body holds Python's lock."""
    sql = (
        "SELECT DISTINCT worker FROM core_run"
        " WHERE state = 'running' AND actor_name LIKE '%.hold'"
    )
    return {int(name.split("-")[-2]) for (name,) in rig.books.rows(sql)}


def are_replaced(rig: Rig, crew: Crew, pids: set[int], what: str) -> None:
    """Wait until others are at work in their place."""

    def whole() -> bool:
        here = {process.pid for process in crew.children()}
        return not here & pids and rig.books.workers(crew.pid) >= crew.processes

    start = time.monotonic()
    rig.until(whole, 30, f"{what} processes are replaced")
    rig.measured[f"{what}_s"] = round(time.monotonic() - start, 1)
