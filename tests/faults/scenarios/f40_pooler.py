"""PgBouncer in transaction mode before the database, and killed workers: exact."""

import time

from tests.faults.judge import judge
from tests.faults.rig import Rig, at_port
from tests.faults.sizes import Size, lasting
from tests.services.pgbouncer import PgBouncer

SIZE = Size(orders=1000)


def run(rig: Rig) -> None:
    with PgBouncer(rig.folder, rig.postgres) as pooler:
        through = {"DATABASE_URL": at_port(rig.books.url, pooler.port)}
        crew = rig.work(through)
        customers = rig.order(seconds=max(10, rig.orders / 20), more=through)
        ends = time.monotonic() + lasting(20, 6)
        while time.monotonic() < ends:
            time.sleep(2)  # the fault's own clock
            crew.kill_one(rig.chance)
        pooler.kill()
        pooler.start()
        customers.finish(600)
        judge(rig, 60 + rig.orders / 15)
        rig.close()
