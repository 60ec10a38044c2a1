"""Runs that a worker takes from the table itself, while the broker is away."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from core.models import Run, State
from core.runs import limits
from core.runs.limits import LimitRules
from core.runs.pauses import is_paused
from core.runs.waiting import due, reserved_for


def take(
    database: str,
    broker: str,
    queue: str,
    number: int,
    seconds: float,
    rules: LimitRules,
) -> list[UUID]:
    """Take the most urgent runs of a queue that may start now; return their ids.

    Published or not: what is at the broker as well is dropped there when it comes back.
    Nobody else takes them for so long; whoever claims one first has it, as always.
    """
    own = Run.objects.using(database).filter(broker=broker, queue_name=queue)
    published = own.filter(state=State.QUEUED, reserved=False).exclude(is_paused())
    waiting = due(database, broker, queue).exclude(is_paused())
    with transaction.atomic(using=database):
        candidates = [
            *_first(published, number),
            *_first(limits.takeable(waiting, rules), number),
        ]
        candidates.sort(key=lambda run: (run.priority, run.due_at))
        taken = candidates[:number]
        pending = [run for run in taken if run.state == State.PENDING]
        admitted = limits.grant(database, pending, rules)
        _note(own, admitted, **reserved_for(seconds))
        _note(own, [run for run in taken if run.state == State.QUEUED], reserved=True)
    refused = {run.pk for run in pending} - {run.pk for run in admitted}
    return [run.pk for run in taken if run.pk not in refused]


def _first(found: QuerySet[Run], number: int) -> list[Run]:
    columns = (
        *("id", "state", "actor_name", "queue_name", "attempt"),
        *("priority", "due_at", "limit_key"),
    )
    ordered = found.order_by("priority", "due_at").only(*columns)
    return list(ordered.select_for_update(skip_locked=True)[:number])


def _note(own: QuerySet[Run], rows: Sequence[Run], **changes: Any) -> None:
    if rows:
        own.filter(pk__in=[run.pk for run in rows]).update(**changes)
