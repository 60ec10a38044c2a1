"""The database refuses every write for a while, as after a failover: exact."""

import time

import psycopg

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(10, rig.orders / 20))
    customers.have_ordered(0.2)
    set_read_only(rig, "on")
    time.sleep(lasting(30, 5))  # the fault's own clock
    set_read_only(rig, "off")
    customers.finish(600)
    judge(rig, 30 + rig.orders / 15)


def set_read_only(rig: Rig, value: str) -> None:
    """Change it for the transactions to come, of open connections as well."""
    with psycopg.connect(rig.postgres.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        connection.execute("SELECT pg_reload_conf()")
