"""The broker is away for 5 minutes and orders go on: work does, too."""

import time

import psutil

from tests.faults.judge import everything_ends, judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=3000, few=100)
#: Of the worker's processes together: two for each of them, and one for each thread.
MOST_CONNECTIONS = 20
#: So much of all may still be open when the broker comes back.
OPEN_SHARE = 0.05


def run(rig: Rig) -> None:
    crew = rig.work()
    rig.broker.kill()
    start = time.monotonic()
    customers = rig.order(seconds=lasting(240, 5))
    customers.finish(600)
    time.sleep(max(0, start + lasting(300, 10) - time.monotonic()))  # the fault's clock
    waiting = rig.books.open_runs()
    rig.broker.start()
    back, most = time.monotonic(), 0
    while time.monotonic() < back + 10:
        most = max(most, connections(rig, crew.pid))
        time.sleep(0.1)
    everything_ends(rig, 1)
    rig.measured |= {"open_at_return": waiting, "connections": most}
    assert waiting <= OPEN_SHARE * rig.orders
    assert most <= MOST_CONNECTIONS
    judge(rig, 30)


def connections(rig: Rig, supervisor: int) -> int:
    """Count the connections of a supervisor and its processes to the broker."""
    parent = psutil.Process(supervisor)
    found = 0
    for process in [parent, *parent.children()]:
        try:
            sockets = process.net_connections("tcp")
        except psutil.NoSuchProcess:
            continue
        found += sum(
            bool(socket.raddr) and socket.raddr.port == rig.broker.port
            for socket in sockets
        )
    return found
