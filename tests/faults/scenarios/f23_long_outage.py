"""The broker is away for 5 minutes and orders go on: drained fast, few connections."""

import time

import psutil

from tests.faults.judge import everything_ends, judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=3000, few=100)
#: Of the worker's processes together: two for each of them, and one for each slot.
MOST_CONNECTIONS = 20


def run(rig: Rig) -> None:
    crew = rig.work()
    rig.broker.kill()
    start = time.monotonic()
    customers = rig.order(seconds=lasting(240, 5))
    customers.finish(600)
    time.sleep(max(0, start + lasting(300, 10) - time.monotonic()))  # the fault's clock
    rig.broker.start()
    waiting, back = rig.books.open_runs(), time.monotonic()
    most = 0
    while rig.books.open_runs() > 0 and time.monotonic() < back + 600:
        most = max(most, connections(rig, crew.pid))
        time.sleep(0.1)
    everything_ends(rig, 1)
    rate = waiting / (time.monotonic() - back)
    rig.measured |= {"drained_per_s": round(rate, 1), "connections": most}
    assert rate >= 10
    assert most <= MOST_CONNECTIONS
    judge(rig, 30)


def connections(rig: Rig, supervisor: int) -> int:
    """Count the connections of a supervisor and its processes to the broker."""
    parent = psutil.Process(supervisor)
    found = 0
    for process in [parent, *parent.children()]:
        try:
            links = process.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        found += sum(
            bool(link.raddr) and link.raddr.port == rig.broker.port for link in links
        )
    return found
