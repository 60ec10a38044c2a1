"""The steps of a run that waits: reserved, published, cancelled."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from core.models import Run, State
from core.runs import limits
from core.runs.ends import follow
from core.runs.limits import LimitRules
from core.runs.pauses import is_paused

WAITING = (State.PENDING, State.QUEUED)
#: Name prefix of a process that runs one suspect at a time.
ALONE = "alone-"
#: The least urgent priority.
MAX_PRIORITY = 100


def later(seconds: float) -> Any:
    """Return an expression for the database's time `seconds` from now."""
    return Now() + timedelta(seconds=seconds)


def has_backlog(database: str, broker: str, queue: str, priority: int) -> bool:
    """Return True if runs as urgent as these, or more so, wait for the relay."""
    urgent = due(database, broker, queue).filter(priority__lte=priority)
    return urgent.filter(limit_key__isnull=True).exists()


def count_waiting(database: str, broker: str, queue: str, most: int) -> int:
    """Return how many runs of a queue are due and have not started, up to `most`."""
    found = Run.objects.using(database).filter(
        broker=broker, queue_name=queue, state__in=WAITING, due_at__lte=Now()
    )
    return found[:most].count()


def has_waited(database: str, broker: str, queue: str, seconds: float) -> bool:
    """Return True if a run of a queue has waited `seconds` for a free worker.

    What a limit holds back does not count.
    """
    found = Run.objects.using(database).filter(
        broker=broker,
        queue_name=queue,
        state__in=WAITING,
        due_at__lte=later(-seconds),
        crashes=0,
    )
    return found.filter(Q(limit_key=None) | Q(limit_granted=True)).exists()


def due(database: str, broker: str, queue: str) -> QuerySet[Run]:
    """Return the runs that may be published now."""
    # What crashed its process runs alone, and not by way of the broker.
    return Run.objects.using(database).filter(
        broker=broker,
        queue_name=queue,
        state=State.PENDING,
        due_at__lte=Now(),
        relay_at__lte=Now(),
        crashes=0,
        routed=True,
    )


def reserve(
    database: str,
    broker: str,
    queue: str,
    room: Sequence[tuple[int, int]],
    seconds: float,
    rules: LimitRules,
) -> list[Run]:
    """Take the most urgent due runs for publishing; others leave them for `seconds`.

    `room` says for each band, the most urgent first, up to which priority it goes and
    how many of all up to it may be taken. Claims, not locks: nothing is locked while
    the broker is waited for, and what a killed relay had taken comes back by itself.
    """
    return _reserve(database, due(database, broker, queue), room, seconds, rules)


def reserve_suspect(
    database: str, broker: str, seconds: float, rules: LimitRules
) -> list[Run]:
    """Take the next run whose process died: it is to run alone."""
    suspects = _suspects(database, broker)
    return _reserve(database, suspects, [(MAX_PRIORITY, 1)], seconds, rules)


def count_suspects(database: str, broker: str) -> int:
    """Return how many runs must be alone in a process, if one of them waits for it."""
    waiting = _suspects(database, broker).count()
    if not waiting:
        return 0
    running = Run.objects.using(database).filter(
        broker=broker, state=State.RUNNING, worker__startswith=ALONE
    )
    return waiting + running.count()


def _suspects(database: str, broker: str) -> QuerySet[Run]:
    return (
        Run.objects.using(database)
        .filter(
            broker=broker,
            state=State.PENDING,
            due_at__lte=Now(),
            relay_at__lte=Now(),
            crashes__gt=0,
        )
        .exclude(is_paused())
    )


def _reserve(
    database: str,
    due: QuerySet[Run],
    room: Sequence[tuple[int, int]],
    seconds: float,
    rules: LimitRules,
) -> list[Run]:
    with transaction.atomic(using=database):
        rows = _take(limits.takeable(due, rules), room)
        rows = limits.grant(database, rows, rules)
        ids = [run.pk for run in rows]
        if ids:
            taken = Run.objects.using(database).filter(pk__in=ids)
            taken.update(**reserved_for(seconds))
    return rows


def reserved_for(seconds: float) -> dict[str, Any]:
    """Return the changes by which nobody else takes a pending run for `seconds`."""
    has_limit = Q(limit_key__isnull=False)
    return {"relay_at": later(seconds), "limit_granted": has_limit, "reserved": True}


def _take(due: QuerySet[Run], room: Sequence[tuple[int, int]]) -> list[Run]:
    most = max((number for _, number in room), default=0)
    if not most:
        return []
    found = list(
        due.order_by("priority", "due_at")
        .select_for_update(skip_locked=True)
        .only("id", "actor_name", "queue_name", "attempt", "priority", "limit_key")[
            :most
        ]
    )
    taken: list[Run] = []
    for last, number in room:
        band = [run for run in found[len(taken) :] if run.priority <= last]
        taken += band[: max(0, number - len(taken))]
    return taken


def give_back(database: str, ids: Sequence[UUID], seconds: float) -> None:
    """Let go of reserved runs that the broker did not take; try again in a while."""
    Run.objects.using(database).filter(pk__in=ids, state=State.PENDING).update(
        relay_at=later(seconds), limit_granted=False, reserved=False
    )


def mark(database: str, rows: Sequence[Run], lost: float) -> None:
    """Note that these were published; one that has started since stays as it is.

    Also one that has started, failed and waits for its retry: its attempt differs.
    """
    by_attempt = defaultdict(list)
    for row in rows:
        by_attempt[row.attempt].append(row.pk)
    for attempt, ids in by_attempt.items():
        _mark(database, ids, attempt, lost)


def _mark(database: str, ids: Sequence[UUID], attempt: int, lost: float) -> None:
    # Of a queue that was paused meanwhile nothing is at the broker that could start.
    waiting = Run.objects.using(database).filter(
        ~is_paused(), pk__in=ids, state=State.PENDING, attempt=attempt
    )
    _change_free(
        waiting, len(ids), state=State.QUEUED, relay_at=later(lost), reserved=False
    )


def forget(database: str, broker: str, queue: str, limit: int) -> int:
    """Take back published runs that nobody started in time, those that waited longest.

    Returns how many.
    """
    overdue = Run.objects.using(database).filter(
        broker=broker, queue_name=queue, state=State.QUEUED, relay_at__lte=Now()
    )
    changes = {"state": State.PENDING, "relay_at": Now(), "limit_granted": False}
    return _change_free(overdue.order_by("relay_at"), limit, **changes)


def _change_free(runs: QuerySet[Run], limit: int, **changes: Any) -> int:
    """Change those of the runs that nobody has locked; return how many.

    What is locked is being claimed or changed already. Skipping it, two batches that
    overlap cannot deadlock.
    """
    with transaction.atomic(using=runs.db):
        free = runs.select_for_update(skip_locked=True).values_list("pk", flat=True)
        ids = list(free[:limit])
        if not ids:
            return 0
        return Run.objects.using(runs.db).filter(pk__in=ids).update(**changes)


def cancel(database: str, ids: Sequence[UUID]) -> int:
    """Stop runs: at once what has not started, soon what runs; return how many."""
    with transaction.atomic(using=database):
        found = Run.objects.using(database).filter(pk__in=ids).order_by("pk")
        waiting = list(found.filter(state__in=WAITING).select_for_update())
        Run.objects.using(database).filter(pk__in=[run.pk for run in waiting]).update(
            state=State.CANCELLED,
            finished_at=Now(),
            relay_at=None,
            limit_granted=False,
            unique_key=None,
        )
        follow(database, waiting, succeeded=False)
        running = found.filter(state=State.RUNNING, cancel_requested=False)
        return len(waiting) + running.update(cancel_requested=True)
