"""A queue with a broker that is never asked, and the workers that serve it."""

from typing import Any

from django.db.models.functions import Now

from core import brokers, runs
from core.models import Worker
from core.relay.outbox import Outbox

ALIAS = "dramatiq_valkey"
THREADS = 2


def new_outbox() -> Outbox:
    """Return one that has not looked at the workers yet."""
    brokers.forget(ALIAS)
    return brokers[ALIAS].outbox


def make_worker(name: str = "one", alias: str = ALIAS, **fields: Any) -> Worker:
    """Return the row of a worker that is alive; no process is started."""
    given = {"lease_until": runs.later(600), "queues": ["default"], **fields}
    return Worker.objects.create(
        name=name,
        broker=alias,
        engine="dramatiq",
        pid=1,
        threads=THREADS,
        started_at=Now(),
        **given,
    )
