"""A message that an operator sends."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from core.broker.handler import brokers
from core.control import audit
from core.errors import UnknownOption
from core.interface.actors import send_many
from core.interface.messages import Message
from core.registry import registry


def send(
    actor_name: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] = MappingProxyType({}),
    options: Mapping[str, Any] = MappingProxyType({}),
    *,
    by: str,
) -> Message[Any]:
    """Send a message to the actor of this name, with options of a send.

    It and the audit's row are one transaction; the arguments are not told there. Raises
    `UnknownActor`, and what a send with these arguments and options raises.
    """
    actor = registry.get(actor_name)
    for name in ("args", "kwargs"):
        if name in options:
            raise UnknownOption(name)
    actor.check_arguments(args, kwargs)
    message = actor.message_with_options(args=args, kwargs=kwargs, **options)
    database = brokers.carrier(actor_name, message.options).database
    account = audit.account(by, "send", actor_name, [database])
    sent: Message[Any] = account.step(
        database, lambda: send_many([message])[0], lambda one: int(one.created)
    )
    account.close()
    return sent
