"""The frozen fields of a message, what may be in them, and what goes on the wire.

A durable message travels as its run's id and a signature, nothing else: who reads the
broker learns nothing, and who writes to it makes nothing run. A message without a row
travels whole, and is signed whole.
"""

import json
import time
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID, uuid4

from django.core.signing import BadSignature, Signer

from core.errors import BadMessage, InvalidArguments, InvalidOption, PayloadTooLarge
from core.registry import registry

#: Arguments may be nested so deep: a worker's stack must hold it once more.
DEEPEST = 100


def now_ms() -> int:
    """Return this process's time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, eq=True, repr=False)
class Envelope:
    """One call of one actor. The fields are Dramatiq's."""

    queue_name: str
    actor_name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    message_id: str = field(default_factory=lambda: str(uuid4()))
    message_timestamp: int = field(default_factory=now_ms)

    def __str__(self) -> str:
        args, kwargs = registry.shown(self.actor_name, self.args, self.kwargs)
        given = [repr(value) for value in args]
        given += [f"{name}={value!r}" for name, value in kwargs.items()]
        return f"{self.actor_name}({', '.join(given)})"

    def __repr__(self) -> str:
        args, kwargs = registry.shown(self.actor_name, self.args, self.kwargs)
        values = self.asdict() | {"args": args, "kwargs": kwargs}
        given = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return f"{type(self).__name__}({given})"

    def asdict(self) -> dict[str, Any]:
        """Return the seven fields as plain values; `args` as a list."""
        values = {f.name: getattr(self, f.name) for f in fields(Envelope)}
        return values | {"args": list(self.args)}


def check_payload(actor_name: str, payload: Any, limit: int) -> None:
    """Refuse arguments that are not JSON, see `size_of`, or take over `limit` bytes."""
    try:
        size = size_of(payload)
    except ValueError as error:
        raise InvalidArguments(
            actor_name, f"the arguments are not JSON: {error}"
        ) from None
    if size > limit:
        raise PayloadTooLarge(actor_name, size, limit)


def check_json(name: str, value: Any) -> None:
    """Raise `InvalidOption` for a value that is not JSON; see `size_of`."""
    try:
        size_of(value)
    except ValueError as error:
        raise InvalidOption(name, value, f"JSON ({error})") from None


def size_of(value: Any) -> int:
    """Return the bytes that a value takes as JSON.

    Raises ValueError for what would not come back from JSON as it went in. NUL and lone
    surrogates are refused because PostgreSQL's jsonb refuses them, in the middle of a
    transaction.
    """
    try:
        _check(value)
        return len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _check(value: Any, depth: int = 0) -> None:
    """Refuse what `json.dumps` would change silently, or a database refuse."""
    if depth > DEEPEST:
        raise ValueError(f"nested deeper than {DEEPEST}")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is not a string")
            _check(key)
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, str) and "\0" in value:
        raise ValueError("there is a NUL character")


class MessageSigner:
    """Signs and verifies what goes to the broker, for one namespace.

    Keys rotate by Django's SECRET_KEY_FALLBACKS.
    """

    def __init__(self, namespace: str) -> None:
        self._signer = Signer(salt=f"switchyard.run.{namespace}")
        # Another salt: the id of a run can never be read as a message, nor this as it.
        self._whole = Signer(salt=f"switchyard.message.{namespace}")

    def sign(self, run_id: str) -> str:
        """Return the payload that goes to the broker."""
        return self._signer.sign(run_id)

    def sign_message(self, message: Envelope) -> str:
        """Return the payload of a message that has no row."""
        text = json.dumps(message.asdict(), separators=(",", ":"), ensure_ascii=False)
        return self._whole.sign(text)  # as long as `check_payload` has counted

    def open(self, payload: str) -> UUID | Envelope:
        """Return the run's id, or the whole message.

        Raises `BadMessage` with what is wrong.
        """
        return (
            self._open_message(payload)
            if payload[:1] == "{"
            else self._open_id(payload)
        )

    def _open_message(self, payload: str) -> Envelope:
        try:
            given = json.loads(self._whole.unsign(payload))
            return Envelope(**given | {"args": tuple(given["args"])})
        except BadSignature:
            raise BadMessage("the signature does not verify") from None
        except (ValueError, TypeError, KeyError, RecursionError):
            # Ours, for it verifies: of a release that knew other fields.
            raise BadMessage("what is signed is not a message") from None

    def _open_id(self, payload: str) -> UUID:
        try:
            return UUID(self._signer.unsign(payload))
        except BadSignature:
            raise BadMessage("the signature does not verify") from None
        except ValueError:
            raise BadMessage("what is signed is not a run id") from None
