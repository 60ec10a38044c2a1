"""Valkey reaches its maxmemory, refuses, then evicts: no worker exits, orders go on."""

from tests.faults.brokers import client
from tests.faults.judge import judge
from tests.faults.processes import Crew
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
BROKERS = ("valkey",)


def run(rig: Rig) -> None:
    crew = rig.work()
    before = pids(crew)
    customers = rig.order(seconds=max(6, rig.orders / 20))
    customers.have_ordered(0.2)
    rig.broker.alarm()  # noeviction: every write is refused
    customers.have_ordered(0.5)
    with client(rig) as valkey:
        used = int(valkey.info("memory")["used_memory"])
        valkey.config_set("maxmemory-policy", "allkeys-lru")
        valkey.config_set("maxmemory", used - 1)
    customers.have_ordered(0.8)
    with client(rig) as valkey:
        valkey.config_set("maxmemory-policy", "noeviction")
    rig.broker.clear_alarm()
    customers.finish(600)
    judge(rig, 90)
    assert pids(crew) == before


def pids(crew: Crew) -> set[int]:
    return {process.pid for process in crew.children()}
