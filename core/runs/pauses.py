"""Queues of which nothing starts: their runs wait as rows, whatever the broker has."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from core.errors import SentTwice
from core.models import Pause, Run, State
from core.runs.insertion import insert

#: A condition of a claim: the queue has no row of a pause.
NOT_PAUSED = """NOT EXISTS (
    SELECT 1 FROM core_pause WHERE core_pause.broker = core_run.broker
        AND core_pause.queue_name = core_run.queue_name
)"""
_BACK = {"state": State.PENDING, "relay_at": Now(), "limit_granted": False}


def is_paused() -> Exists:
    """Return what holds of the runs of paused queues."""
    same = Q(broker=OuterRef("broker"), queue_name=OuterRef("queue_name"))
    return Exists(Pause.objects.filter(same))


def paused(database: str, broker: str) -> frozenset[str]:
    """Return the names of an alias's paused queues."""
    found = Pause.objects.using(database).filter(broker=broker)
    return frozenset(found.values_list("queue_name", flat=True))


def pause(database: str, broker: str, queue: str, by: str) -> bool:
    """Let nothing of a queue start from now on; False: it was so already.

    What was published comes back: its messages find nothing that waits for them.
    """
    pauses = Pause.objects.using(database)
    with transaction.atomic(using=database):
        if pauses.filter(broker=broker, queue_name=queue).exists():
            return False
        pauses.bulk_create(
            [Pause(broker=broker, queue_name=queue, by=by)], ignore_conflicts=True
        )
        published = Run.objects.using(database).filter(
            broker=broker, queue_name=queue, state=State.QUEUED
        )
        ids = list(published.select_for_update().values_list("pk", flat=True))
        Run.objects.using(database).filter(pk__in=ids).update(**_BACK)
    return True


def resume(database: str, broker: str, queue: str) -> bool:
    """Let a queue go on; False: it was not paused."""
    held = Pause.objects.using(database).filter(broker=broker, queue_name=queue)
    return held.delete()[0] > 0


def send_back(database: str, run_id: UUID) -> None:
    """Have a run wait as a row whose message came although its queue is paused."""
    run = Run.objects.using(database).filter(is_paused(), pk=run_id)
    run.filter(state=State.QUEUED).update(**_BACK)


def hold(database: str, row: Run) -> None:
    """Give a message without a row one, in which it waits; a copy changes nothing.

    It was never claimed: its first attempt is still to come.
    """
    row.state, row.attempt, row.started_at = State.PENDING, 0, None
    row.due_at = row.relay_at = row.created_at
    try:
        with transaction.atomic(using=database):
            insert(database, [row])
    except SentTwice:
        pass
