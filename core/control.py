"""The operators' hands: each verb changes rows through the state machine alone."""

from collections.abc import Callable, Sequence
from uuid import UUID

from core import monitoring, runs
from core.errors import UnknownRun
from core.handler import brokers
from core.models import State

#: At most so many runs in one UPDATE.
BATCH = 1000

#: Which states each verb changes.
ENDED = (State.DEAD, State.CANCELLED)
WAITING = (State.PENDING, State.QUEUED)

Step = Callable[[str, Sequence[UUID]], int]


def requeue(ids: Sequence[str]) -> int:
    """Give dead and cancelled runs a new life; return how many changed."""
    return _each(runs.requeue, ids)


def cancel(ids: Sequence[str]) -> int:
    """Stop runs that have not started; return how many changed."""
    return _each(runs.cancel, ids)


def requeue_all(**filters: str) -> int:
    """Requeue every dead or cancelled run that the filters mean."""
    return _all(runs.requeue, ENDED, filters)


def cancel_all(**filters: str) -> int:
    """Cancel every run that has not started and that the filters mean."""
    return _all(runs.cancel, WAITING, filters)


def _each(step: Step, ids: Sequence[str]) -> int:
    keys = [_key(run_id) for run_id in ids]
    return sum(_step(step, database, keys) for database in brokers.databases())


def _step(step: Step, database: str, keys: Sequence[UUID]) -> int:
    """Take the step in small transactions: each locks its rows until its end."""
    batches = range(0, len(keys), BATCH)
    return sum(step(database, keys[start : start + BATCH]) for start in batches)


def _key(run_id: str) -> UUID:
    try:
        return UUID(run_id)
    except ValueError:
        raise UnknownRun(run_id) from None


def _all(step: Step, states: Sequence[str], filters: dict[str, str]) -> int:
    changed = 0
    for database in brokers.databases():
        found = monitoring.select(database, filters).filter(state__in=states)
        changed += _step(step, database, list(found.values_list("pk", flat=True)))
    return changed


def count(verb: str, **filters: str) -> int:
    """Return how many runs `requeue_all` or `cancel_all` would change."""
    states = {"requeue": ENDED, "cancel": WAITING}[verb]
    return sum(
        monitoring.select(database, filters).filter(state__in=states).count()
        for database in brokers.databases()
    )
