"""The disk of the database is full, then the broker's: all resumes unaided."""

import os
import time
from pathlib import Path

import psycopg

from tests.faults.disks import Disk, disk
from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size, lasting
from tests.services.postgres import unprivileged

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    # In the system's folder: the database's own user must be able to reach it.
    with disk(Path(f"/tmp/{rig.name}"), 400) as small:  # noqa: S108  # its name is ours
        move_database(rig, small)
        healthy = rig.broker
        rig.broker = type(healthy)(small.folder)
        try:
            rig.broker.start()
            fill(rig, small)
            judge(rig, 90 + rig.orders / 15)
        finally:
            rig.close()
            rig.broker.stop()
            rig.broker = healthy
            move_back(rig)


def fill(rig: Rig, small: Disk) -> None:
    rig.work()
    customers = rig.order(seconds=max(8, rig.orders / 20))
    for share in (0.2, 0.6):
        customers.have_ordered(share)
        with small.full():
            time.sleep(lasting(15, 4))  # the fault's own clock
    customers.finish(600)


def move_database(rig: Rig, small: Disk) -> None:
    """Have the shop's tables on the small disk; the log of writes stays elsewhere."""
    place = small.folder / "tables"
    place.mkdir()
    if owner := unprivileged():
        os.chown(place, owner.pw_uid, owner.pw_gid)
    alter(rig, f"CREATE TABLESPACE {space(rig)} LOCATION '{place}'")
    alter(rig, f"ALTER DATABASE {database(rig)} SET TABLESPACE {space(rig)}")


def move_back(rig: Rig) -> None:
    alter(rig, f"ALTER DATABASE {database(rig)} SET TABLESPACE pg_default")
    alter(rig, f"DROP TABLESPACE {space(rig)}")


def alter(rig: Rig, statement: str) -> None:
    with psycopg.connect(rig.postgres.url, autocommit=True) as connection:
        connection.execute(statement)


def database(rig: Rig) -> str:
    return rig.books.url.rpartition("/")[2]


def space(rig: Rig) -> str:
    return f"space_{database(rig)}"
