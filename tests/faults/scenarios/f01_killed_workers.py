"""A worker process is killed every 2 s: each run is recovered, p99 within 30 s."""

import time

from tests.faults.judge import judge
from tests.faults.processes import Crew
from tests.faults.rig import Rig
from tests.faults.sizes import FULL, Size
from tests.services.waiting import in_time, wait_for

SIZE = Size(orders=10_000, seeds=5)
EVERY = 2
RECOVERED = 30


def run(rig: Rig) -> None:
    crew = rig.work()
    customers = rig.order(seconds=max(10, rig.orders / 15))
    kills = 0
    while customers.process.poll() is None:
        time.sleep(EVERY)  # the fault's own clock
        kills += kill_at_work(rig, crew)
    customers.finish()
    judge(rig, 60 if not FULL else 60 + rig.orders / 10)
    rig.measured |= {"kills": kills, "recovered_p99": recovered(rig)}
    in_time(rig.measured["recovered_p99"], RECOVERED * rig.patience, "recovered")


def kill_at_work(rig: Rig, crew: Crew) -> bool:
    """Kill a process that has started a run; say whether there was one in time."""

    def strike() -> bool:
        names = rig.books.at_work()
        return bool(names) and crew.kill_one(rig.chance, names)

    try:
        return bool(wait_for(strike, EVERY, grace=0))
    except TimeoutError:
        return False


def recovered(rig: Rig) -> float:
    """Return the 99th percentile, s, from a lost attempt's start to its run's end."""
    rows = rig.books.rows(
        "SELECT extract(epoch FROM r.finished_at - max(a.started_at)) FROM core_run r"
        " JOIN core_attempt a ON a.run_id = r.id AND a.outcome = 'crashed'"
        " GROUP BY r.id ORDER BY 1"
    )
    times = [float(row[0]) for row in rows]
    assert times, "nobody was killed in the middle of anything"
    return round(times[int(len(times) * 0.99)], 1)
