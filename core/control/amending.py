"""A run with other arguments, checked as a send checks them."""

import inspect
from collections.abc import Mapping, Sequence
from inspect import BoundArguments, Parameter
from types import MappingProxyType
from typing import Any

from cryptography.fernet import InvalidToken

from core.broker.handler import brokers
from core.errors import InvalidArguments
from core.models import Run
from core.registry import registry
from core.secrets.values import Given, decrypt_arguments
from core.wire.envelope import Envelope

#: Fields of a run that are made of its arguments.
FIELDS = ("args", "kwargs", "limit_key")


def amended(
    run_id: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the fields of a run that change with its arguments, and change nothing.

    See `core.control.requeue_with`.
    """
    run = brokers.find(run_id)
    given = _merged(run, args, kwargs)
    message = Envelope(
        queue_name=run.queue_name,
        actor_name=run.actor_name,
        args=tuple(given.args),
        kwargs=dict(given.kwargs),
        options=run.options,
        message_id=str(run.pk),
    )
    changed = brokers[run.broker].enqueuer.draft(message).run
    return {name: getattr(changed, name) for name in FIELDS}


def _merged(
    run: Run, args: Sequence[Any] | None, kwargs: Mapping[str, Any]
) -> BoundArguments:
    fn = registry.get(run.actor_name).fn
    old_args, old_kwargs = _plain(run)
    signature = inspect.signature(fn)
    try:
        bound = signature.bind_partial(
            *(old_args if args is None else args), **old_kwargs
        )
        for name, value in kwargs.items():
            _put(run, bound, name, value)
        if run.piped is None:  # else the rest comes from the step before
            signature.bind(*bound.args, **bound.kwargs)
    except TypeError as error:
        raise InvalidArguments(run.actor_name, str(error)) from None
    return bound


def _put(run: Run, bound: BoundArguments, name: str, value: Any) -> None:
    parameters = bound.signature.parameters
    known = parameters.get(name)
    if known and known.kind in (
        Parameter.POSITIONAL_OR_KEYWORD,
        Parameter.KEYWORD_ONLY,
    ):
        bound.arguments[name] = value
        return
    rest = [p for p in parameters.values() if p.kind is Parameter.VAR_KEYWORD]
    if not rest:
        raise InvalidArguments(run.actor_name, f"it takes no {name!r} by name")
    bound.arguments.setdefault(rest[0].name, {})[name] = value


def _plain(run: Run) -> Given:
    actor = registry.get(run.actor_name)
    try:
        return decrypt_arguments(actor.fn, actor.secrets, run.args, run.kwargs)
    except InvalidToken:
        problem = "a secret argument does not decrypt; add its key to"
        problem += " SECRET_KEY_FALLBACKS"
        raise InvalidArguments(run.actor_name, problem) from None
