"""The runs that wait, as messages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.models import Func, QuerySet, TextField

from core.broker.handler import brokers
from core.interface.actors import Actor
from core.interface.messages import Message
from core.models import Run, State
from core.registry import registry
from core.secrets.values import decrypt_arguments
from core.testing.recorder import as_message
from core.worker.context import envelope_of

#: What `enqueued` filters on; the arguments are compared as they come out of JSON.
COLUMNS = ("queue_name", "priority", "broker")
ARGUMENTS = ("args", "kwargs")
#: Runs of one statement have one time: the table remembers their order.
_INSERTED = {"sqlite": "rowid", "postgresql": "ctid"}


def waiting(database: str) -> QuerySet[Run]:
    """Return the runs that have not started."""
    return Run.objects.using(database).filter(state__in=(State.PENDING, State.QUEUED))


def inserted(database: str) -> Func:
    """Return an expression for the order in which runs were written."""
    column = _INSERTED[connections[database].vendor]
    table = Run._meta.db_table
    return Func(template=f"{table}.{column}", output_field=TextField())


def enqueued(
    actor: Actor[..., Any] | None = None, **options: Any
) -> list[Message[Any]]:
    """Return the messages that wait, of one actor or of all, the oldest first.

    `queue_name`, `priority`, `broker`, `args` and `kwargs` leave only those with it.
    """
    unknown = set(options) - {*COLUMNS, *ARGUMENTS}
    if unknown:
        raise TypeError(
            f"unknown filters {sorted(unknown)}; known are {(*COLUMNS, *ARGUMENTS)}"
        )
    rows = [
        run
        for database in brokers.databases()
        for run in _select(database, actor, options)
        if _fits(run, options)
    ]
    rows.sort(key=lambda run: run.created_at)
    return [as_message(envelope_of(run)) for run in rows]


def _select(
    database: str, actor: Actor[..., Any] | None, options: Mapping[str, Any]
) -> QuerySet[Run]:
    wanted = {name: options[name] for name in COLUMNS if name in options}
    if actor is not None:
        wanted["actor_name"] = actor.actor_name
    found = waiting(database).filter(**wanted)
    return found.order_by("created_at", inserted(database))


def _fits(run: Run, options: Mapping[str, Any]) -> bool:
    args, kwargs = _given(run)
    fits = "args" not in options or _plain(list(args)) == _plain(options["args"])
    return fits and (
        "kwargs" not in options or _plain(kwargs) == _plain(options["kwargs"])
    )


def _given(run: Run) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """Return a run's arguments, the secret ones as they were given."""
    if run.actor_name not in registry:
        return run.args, run.kwargs
    actor = registry.get(run.actor_name)
    return decrypt_arguments(actor.fn, actor.secrets, run.args, run.kwargs)


def _plain(value: Any) -> Any:
    """Return what a body would get: a tuple becomes a list."""
    return json.loads(json.dumps(value))
