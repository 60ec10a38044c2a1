"""Where runs are performed whose process died: alone, in a process of its own.

The supervisor starts it when there is something for it, and it ends when there is not.
What kills this process has killed nobody else's run.
"""

import threading
import time

from django.db import connections

from core import runs
from core.errors import Shutdown
from core.worker.context import WorkerContext
from core.worker.process import process
from core.worker.signals import when_told

#: Seconds without anything to do after which it ends.
PATIENCE = 5.0
#: Seconds between two looks.
LOOK_SECONDS = 0.2


def work(context: WorkerContext) -> None:
    """Perform suspects one after the other; return when there are none, or told to."""
    stop = threading.Event()

    def heed() -> None:
        stop.set()
        context.lease.interrupts.shut_down(Shutdown)

    with when_told(heed):
        context.lease.prefix = runs.ALONE
        ends = time.monotonic() + PATIENCE
        while not stop.is_set() and time.monotonic() < ends:
            if _perform_next(context):
                ends = time.monotonic() + PATIENCE
            else:
                stop.wait(LOOK_SECONDS)
        context.lease.drop()
        connections.close_all()


def _perform_next(context: WorkerContext) -> bool:
    outbox = context.outbox
    rows = context.persist(
        lambda: runs.reserve_suspect(
            outbox.database,
            outbox.alias,
            outbox.timing.reserve,
            context.resolver.rules(),
        )
    )
    for run in rows:
        process(context, run.pk)
    return bool(rows)
