"""From a fire to its run: the actor's own send, in the fire's transaction."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction

from core.errors import CoreError
from core.interface.actors import send_many
from core.interface.messages import Message
from core.models import Fire, FireState, Schedule
from core.registry import registry
from core.triggers import jitter


def send(database: str, fires: Sequence[Fire]) -> None:
    """Send each fire's run, and note in the fire what became of it.

    What cannot be sent is skipped with the reason; it does not hold up its neighbours.
    """
    if not fires:
        return
    try:
        with transaction.atomic(using=database):
            _send(fires)
    except DatabaseError:
        raise
    except Exception as error:  # an actor's own key function may raise anything
        if len(fires) > 1:
            for fire in fires:
                send(database, [fire])
            return
        _skip(fires[0], error)


def _skip(fire: Fire, error: Exception) -> None:
    fire.state, fire.run_id, fire.is_open = FireState.SKIPPED, None, False
    told = str(error) if isinstance(error, CoreError) else repr(error)
    fire.reason = told.replace("\0", "")[:1000]


def _send(fires: Sequence[Fire]) -> None:
    messages = send_many([message_of(fire.schedule, fire) for fire in fires])
    for fire, message in zip(fires, messages, strict=True):
        fire.run_id = UUID(message.message_id)
        if message.created:
            fire.state, fire.is_open = FireState.FIRED, True
        else:
            fire.state, fire.reason = FireState.SKIPPED, "another run stands for it"


def message_of(row: Schedule, fire: Fire | None = None) -> Message[Any]:
    """Return the message of a schedule; jitter delays it, and not its slot."""
    options = dict(row.options)
    if fire is not None and fire.slot is not None and row.jitter:
        starts = fire.slot + jitter(row.name, fire.slot, row.jitter)
        if starts > fire.decided_at:
            options["eta"] = starts.astimezone(UTC)
    actor = registry.get(row.actor_name)
    message: Message[Any] = actor.message_with_options(
        args=row.args, kwargs=row.kwargs, **options
    )
    return message
