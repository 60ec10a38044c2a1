"""The form of a message on the broker: Dramatiq's own JSON, read with suspicion."""

from typing import Any

from dramatiq import JSONEncoder, Message, MessageProxy
from dramatiq.errors import DecodeError

from core.backend import EngineMessage
from core.errors import BadMessage

#: Not the global encoder: DRAMATIQ_ENCODER may be pickle, and we read from strangers.
ENCODER = JSONEncoder()


class Delivery(MessageProxy):
    """A message in this worker's hands, with what settles it at the broker."""

    def __init__(self, message: Message[Any], token: Any, channel: Any = None) -> None:
        super().__init__(message)
        #: Redis: the entry's id, bytes. RabbitMQ: the delivery tag.
        self.token = token
        #: RabbitMQ: the channel that the tag belongs to. Redis: None.
        self.channel = channel

    def __str__(self) -> str:
        """Name it in Dramatiq's logs, without its argument: that may be anything."""
        return f"{self.actor_name} {self.message_id}"

    @property
    def stale(self) -> bool:
        """True when the broker has taken it back and will deliver it again."""
        return self.channel is not None and not self.channel.is_open


def encode(message: EngineMessage) -> bytes:
    """Return the bytes of one message, as `actor.send(payload)` would write them."""
    native: Message[Any] = Message(
        queue_name=message.queue,
        actor_name=message.actor_name,
        args=(message.payload,),
        kwargs={},
        options={},
        message_id=message.message_id,
    )
    return ENCODER.encode(native.asdict())


def decode(queue: str, data: bytes) -> Message[Any]:
    """Return the message in `data`, which came from `queue`; or raise `BadMessage`.

    The message for the worker carries the queue as a keyword argument, because an
    actor's messages arrive by several queues. Options are dropped: an `eta` or a
    `pipe_target` from the broker would start machinery that is core's.
    """
    fields = _fields(data)
    problem = _problem(queue, fields)
    if problem:
        raise BadMessage(problem)
    return Message(
        queue_name=queue,
        actor_name=fields["actor_name"],
        args=(fields["args"][0],),
        kwargs={"queue": queue},
        options={},
        message_id=fields["message_id"],
    )


def _fields(data: bytes) -> dict[str, Any]:
    try:
        fields = ENCODER.decode(data)
    except (DecodeError, ValueError, RecursionError):
        raise BadMessage("not JSON") from None
    if not isinstance(fields, dict):
        raise BadMessage("not a JSON object")
    return fields


def _problem(queue: str, fields: dict[str, Any]) -> str:
    for name in ("queue_name", "actor_name", "message_id"):
        if not isinstance(fields.get(name), str):
            return f"no {name}"
    if fields["queue_name"] != queue:
        return f"meant for the queue {fields['queue_name'][:200]!r}"
    args = fields.get("args")
    if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], str):
        return "its args are not one string"
    if fields.get("kwargs"):
        return "it has keyword arguments"
    return "" if _is_text(args[0]) else "its argument is not valid Unicode"


def _is_text(payload: str) -> bool:
    """False for lone surrogates: JSON can write them, nothing else can."""
    try:
        payload.encode()
    except UnicodeEncodeError:
        return False
    return True
