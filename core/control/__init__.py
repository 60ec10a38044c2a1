"""The operators' hands: each verb changes rows through the state machine alone.

Each call leaves one row in the audit; a dry run leaves none. `by` says who it was: a
user's name, or from code what made it, as "nightly clean-up".
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from core import monitoring, runs
from core.broker.handler import brokers
from core.control import audit
from core.control.amending import amended
from core.control.audit import Account
from core.control.queues import pause, purge, purgeable, resume
from core.control.schedules import (
    backfill_schedule,
    import_schedules,
    pause_schedules,
    resume_schedules,
    run_schedule,
    schedules_to_set,
)
from core.control.sending import send
from core.errors import UnknownRun
from core.models import State

__all__ = [
    "amended",
    "answer",
    "backfill_schedule",
    "cancel",
    "cancel_all",
    "count",
    "import_schedules",
    "pause",
    "pause_schedules",
    "prunable",
    "prune",
    "purge",
    "purgeable",
    "refused",
    "requeue",
    "requeue_all",
    "requeue_with",
    "resume",
    "resume_schedules",
    "run_schedule",
    "schedules_to_set",
    "send",
]

#: Runs in one UPDATE.
BATCH = 1000

#: In which states a run must be for a verb that is given ids, in code and in words.
_TAKES = {
    "requeue": (runs.REQUEUABLE, "only what is dead or cancelled can be requeued"),
    "cancel": ((*runs.WAITING, State.RUNNING), "it has ended"),
}

Step = Callable[[str, Sequence[UUID]], int]


def requeue(ids: Sequence[str], *, by: str) -> int:
    """Give dead and cancelled runs a new life; return how many changed."""
    return _each(runs.requeue, ids, _account(by, "requeue", audit.ids(ids)))


def requeue_with(
    run_id: str,
    *,
    by: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] = MappingProxyType({}),
) -> bool:
    """Give a dead or cancelled run a new life with other arguments.

    `args` stand for all positional ones, unless that is None; `kwargs` for those of
    these names. What is not given stays. The audit tells which, not what they are.
    Returns False if it is in no state for it. Raises `UnknownRun`, `UnknownActor`, and
    what a send with these arguments raises.
    """
    changes = amended(run_id, args, kwargs)
    names = [*(["args"] if args is not None else []), *kwargs]
    target = f"{audit.ids([run_id])}, with other arguments: {', '.join(names)}"
    step = partial(runs.requeue, changes=changes)
    return _each(step, [run_id], _account(by, "requeue", target)) == 1


def cancel(ids: Sequence[str], *, by: str) -> int:
    """Stop runs, now or while they run; return how many changed."""
    return _each(runs.cancel, ids, _account(by, "cancel", audit.ids(ids)))


def requeue_all(*, by: str, **filters: str) -> int:
    """Requeue every dead or cancelled run that the filters mean."""
    account = _account(by, "requeue_all", audit.filters(filters))
    return _all(runs.requeue, runs.REQUEUABLE, filters, account)


def cancel_all(*, by: str, **filters: str) -> int:
    """Cancel every run that has not started and that the filters mean."""
    account = _account(by, "cancel_all", audit.filters(filters))
    return _all(runs.cancel, runs.WAITING, filters, account)


def answer(key: str, *, happened: bool, by: str, value: Any = None) -> bool:
    """Record the outcome of an unknown effect; return False if there is none.

    `value` is what `effect` returns from then on, if it has happened. Requeue its run.
    """
    told = "it happened" if happened else "it did not happen"
    account = _account(by, "answer", f"{key}: {told}")
    answers = [
        account.step(database, partial(_answer, database, key, happened, value), int)
        for database in brokers.databases()
    ]
    account.close()
    return any(answers)


def _answer(database: str, key: str, happened: bool, value: Any) -> bool:
    return runs.answer(database, key, happened=happened, value=value)


def prune(broker: str = "", *, by: str) -> dict[str, int]:
    """Delete all that is kept no longer; return how many rows of each kind."""
    counts: Counter[str] = Counter()
    account = _account(by, "prune", broker or "all")
    for alias in [broker] if broker else brokers:
        one = brokers[alias]
        batch = partial(runs.prune, one.database, alias, one.retention)
        while found := account.step(one.database, batch, _total):
            counts.update(found)
    account.close()
    return dict(counts)


def _total(counts: dict[str, int]) -> int:
    return sum(counts.values())


def prunable(broker: str = "") -> dict[str, int]:
    """Count the rows that `prune` would delete."""
    counts: Counter[str] = Counter()
    for alias in [broker] if broker else brokers:
        one = brokers[alias]
        counts.update(runs.prunable(one.database, alias, one.retention))
    return dict(counts)


def _account(by: str, verb: str, target: str) -> Account:
    return audit.account(by, verb, target, brokers.databases())


def _each(step: Step, ids: Sequence[str], account: Account) -> int:
    keys = [_key(run_id) for run_id in ids]
    changed = sum(
        _step(step, database, keys, account) for database in brokers.databases()
    )
    account.close()
    return changed


def _step(step: Step, database: str, keys: Sequence[UUID], account: Account) -> int:
    """Take the step in small transactions: each locks its rows until its end."""
    return sum(
        account.step(
            database, partial(step, database, keys[start : start + BATCH]), int
        )
        for start in range(0, len(keys), BATCH)
    )


def _key(run_id: str) -> UUID:
    try:
        return UUID(run_id)
    except ValueError:
        raise UnknownRun(run_id) from None


def _all(
    step: Step, states: Sequence[str], filters: dict[str, str], account: Account
) -> int:
    changed = 0
    for database in brokers.databases():
        found = monitoring.select(database, filters).filter(state__in=states)
        keys = list(found.values_list("pk", flat=True))
        changed += _step(step, database, keys, account)
    account.close()
    return changed


def count(verb: str, **filters: str) -> int:
    """Return how many runs `requeue_all` or `cancel_all` would change."""
    states = {"requeue": runs.REQUEUABLE, "cancel": runs.WAITING}[verb]
    return sum(
        monitoring.select(database, filters).filter(state__in=states).count()
        for database in brokers.databases()
    )


def refused(verb: str, ids: Sequence[str]) -> dict[str, str]:
    """Return what `requeue` or `cancel` would leave alone: each id with the reason."""
    keys = {run_id: str(_key(run_id)) for run_id in ids}
    rows = brokers.read(list(keys.values()), ["state"])
    found = {run_id: rows.get(key, {}).get("state") for run_id, key in keys.items()}
    wanted, what = _TAKES[verb]
    return {
        run_id: f"is {state}: {what}" if state else "is the id of no run"
        for run_id, state in found.items()
        if state not in wanted
    }
