"""The runs' table is locked, rows deadlock, connections run out: no claim is lost."""

import time
from contextlib import ExitStack

import psycopg

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting

SIZE = Size(orders=1000)
PAIR = "SELECT id FROM core_run ORDER BY created_at DESC, id LIMIT 20"


def run(rig: Rig) -> None:
    rig.work()
    customers = rig.order(seconds=max(10, rig.orders / 20))
    customers.have_ordered(0.2)
    lock_table(rig, lasting(20, 4))
    deadlock(rig, rounds=20)
    exhaust(rig, lasting(10, 3))
    customers.finish(600)
    judge(rig, 90)


def lock_table(rig: Rig, seconds: float) -> None:
    with psycopg.connect(rig.books.url) as connection:
        connection.execute("LOCK TABLE core_run IN ACCESS EXCLUSIVE MODE")
        time.sleep(seconds)  # the fault's own clock


def deadlock(rig: Rig, rounds: int) -> None:
    """Lock the newest rows one by one, against the order of everybody else."""
    for _ in range(rounds):
        with psycopg.connect(rig.books.url) as connection:
            try:
                for (pk,) in connection.execute(PAIR).fetchall():
                    connection.execute(
                        "SELECT 1 FROM core_run WHERE id = %s FOR UPDATE", [pk]
                    )
            except psycopg.errors.DeadlockDetected:
                connection.rollback()


def exhaust(rig: Rig, seconds: float) -> None:
    """Take every connection that the server has to give."""
    with ExitStack() as held:
        try:
            while True:
                held.enter_context(psycopg.connect(rig.books.url))
        except psycopg.OperationalError:
            time.sleep(seconds)  # the fault's own clock
