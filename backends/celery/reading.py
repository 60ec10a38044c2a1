"""Checking a message before Celery parses it.

Celery exits, loops or leaks a slot on messages it did not expect. So it never
sees one: what is ours is stripped to what Celery needs, the rest is turned into
a well-formed call of the task that parks.
"""

import base64
import json
from typing import Any
from uuid import uuid4

from celery.app.task import Context

from backends.celery.redis_channel import GARBAGE

#: Internal tasks: for an actor that nobody declared here, and for what is unreadable.
UNDECLARED = "switchyard.undeclared"
PARK = "switchyard.park"

_UTF8 = {"utf-8", "utf8"}
_EMBEDDED = {"callbacks", "errbacks", "chain", "chord"}


class Unreadable(Exception):
    """A message that no publisher of ours wrote; the text says what is wrong."""


def prepare(message: Any, declared: frozenset[str], longest: int) -> None:
    """Rewrite a message in place, so that Celery runs it whatever it was."""
    try:
        name, payload = _read(message, longest)
    except Unreadable as exc:
        return condemn(message, str(exc))
    headers = message.headers
    message.headers = _headers(name if name in declared else UNDECLARED, headers["id"])
    message.headers |= _tracing(headers)
    message.headers["shadow"] = name
    message._decoded_cache = payload  # or Celery would decode it again


def condemn(message: Any, reason: str) -> None:
    """Make of a message the call that parks its bytes."""
    call = [base64.b64encode(_raw(message)).decode(), reason]
    message.body = json.dumps([call, {}, {}]).encode()
    message.content_type, message.content_encoding = "application/json", "utf-8"
    message.headers = _headers(PARK, str(uuid4()))
    message._decoded_cache = None
    message.errors = []


def _read(message: Any, longest: int) -> tuple[str, list[Any]]:
    if len(message.body or b"") > longest:
        raise Unreadable(f"it is longer than {longest} bytes")
    if message.content_type == GARBAGE:
        raise Unreadable("it is not a message of Celery's at all")
    name = _check_headers(message.headers)
    if message.content_type != "application/json":
        raise Unreadable(f"the content type is {_short(message.content_type)}")
    if str(message.content_encoding).lower() not in _UTF8:
        raise Unreadable(f"the encoding is {_short(message.content_encoding)}")
    try:
        payload = json.loads(message.body)
    except (ValueError, TypeError, RecursionError) as exc:
        raise Unreadable(f"the body is not JSON: {_short(exc)}") from None
    _check_payload(payload)
    return name, payload


def _raw(message: Any) -> bytes:
    body = message.body
    if not isinstance(body, str):
        return bytes(body or b"")
    try:  # amqp has decoded what named an encoding: turn it back
        return body.encode(message.content_encoding or "utf-8")
    except (LookupError, TypeError, ValueError):
        return body.encode("utf-8", "surrogatepass")


def _check_headers(headers: Any) -> str:
    if not isinstance(headers, dict):
        raise Unreadable(f"the headers are {_short(headers)}")
    for field in ("task", "id"):
        value = headers.get(field)
        if not isinstance(value, str) or not value:
            raise Unreadable(f"the header {field!r} is {_short(value)}")
    for field in ("eta", "expires"):
        if headers.get(field) is not None:
            raise Unreadable(f"the header {field!r} is {_short(headers[field])}")
    return str(headers["task"])


def _check_payload(payload: Any) -> None:
    if not isinstance(payload, list) or len(payload) != 3:
        raise Unreadable("the body is not [args, kwargs, embed]")
    args, kwargs, embed = payload
    if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], str):
        raise Unreadable("the arguments are not one text")
    if kwargs != {}:
        raise Unreadable("there are keyword arguments")
    if embed is not None and not isinstance(embed, dict):
        raise Unreadable("the third part of the body is not an object")
    parts = (embed or {}).items()
    if any(value is not None or key not in _EMBEDDED for key, value in parts):
        raise Unreadable("the message asks for callbacks")


def _headers(task: str, message_id: str) -> dict[str, Any]:
    return {"lang": "py", "task": task, "id": message_id, "root_id": message_id}


def _tracing(headers: dict[str, Any]) -> dict[str, Any]:
    """The headers of tracing tools: texts under names that mean nothing to Celery."""
    extra = _texts(headers)
    if isinstance(headers.get("headers"), dict):
        extra["headers"] = _texts(headers["headers"])
    return extra


def _texts(headers: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in headers.items()
        if isinstance(value, str) and not hasattr(Context, key)
        if key not in ("task", "lang", "compression")
    }


def _short(value: object) -> str:
    return ascii(value)[:200]
