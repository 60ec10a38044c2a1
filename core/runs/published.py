"""How many messages of a queue are at the broker, as the rows tell."""

from django.db.models import Count
from django.db.models.functions import Now

from core.models import Run, State
from core.runs.waiting import later

#: Seconds for which a cancelled run's message may wait at the broker.
STALE_SECONDS = 600


def at_the_broker(database: str, broker: str, queue: str) -> list[tuple[int, int]]:
    """Return how many runs of each priority are published, or just being published.

    What a relay has reserved and not marked yet fills the broker as well.
    """
    own = Run.objects.using(database).filter(broker=broker, queue_name=queue)
    queued = own.filter(state=State.QUEUED)
    reserved = own.filter(state=State.PENDING, reserved=True, relay_at__gt=Now())
    counts = [
        rows.values_list("priority").annotate(Count("pk")).order_by()
        for rows in (queued, reserved)
    ]
    return list(counts[0].union(counts[1], all=True))


def cancelled_lately(database: str, broker: str, queue: str, most: int) -> int:
    """Count, up to `most`, the cancelled runs whose messages may still be there."""
    own = Run.objects.using(database).filter(broker=broker, queue_name=queue)
    ended = own.filter(state=State.CANCELLED, finished_at__gt=later(-STALE_SECONDS))
    return ended[:most].count()
