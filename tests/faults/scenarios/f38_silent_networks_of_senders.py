"""The network swallows what senders send to the broker, then to the database: exact.

While it is the broker's, no checkout takes more than 300 ms.
"""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.scenarios.f11_alarms import ANSWERED
from tests.faults.sizes import Size, lasting
from tests.services.waiting import in_time

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    rig.work()
    broker, to_broker = rig.broker_proxy()
    database, to_database = rig.database_proxy()
    customers = rig.order(seconds=lasting(80, 10), more=to_broker | to_database)
    customers.have_ordered(0.1)
    with broker.black_hole():
        time.sleep(lasting(30, 3))  # the fault's own clock
    # The first one of a process also connects, and imports what it needs.
    slowest = max(list(customers.confirmed.values())[1:])
    rig.measured["slowest_checkout_ms"] = slowest
    in_time(slowest / 1000, ANSWERED * rig.patience, "the slowest checkout")
    with database.black_hole():
        time.sleep(lasting(30, 3))  # the fault's own clock
    customers.finish(600)
    judge(rig, 30 + rig.orders / 15)
