"""A queue with a broker that is never asked, and the workers that serve it."""

from django.db.models.functions import Now

from core import brokers, runs
from core.models import Worker
from core.relay.outbox import Outbox

ALIAS = "dramatiq_valkey"
SLOTS = 2


def new_outbox() -> Outbox:
    """Return one that has not looked at the workers yet."""
    brokers.forget(ALIAS)
    return brokers[ALIAS].outbox


def make_worker(name: str = "one", rate: float = 0.0) -> None:
    Worker.objects.create(
        name=name,
        broker=ALIAS,
        engine="dramatiq",
        pid=1,
        queues=["default"],
        slots=SLOTS,
        rate=rate,
        started_at=Now(),
        lease_until=runs.later(60),
    )
