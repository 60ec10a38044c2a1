"""The messages that an actor's callbacks get, as Dramatiq's Callbacks sends them."""

from collections.abc import Sequence
from typing import Any

from core.models import Run
from core.options import Options
from core.runs import Returned, readable
from core.secrets.redaction import redact
from core.wire.envelope import Envelope


def success(
    options: Options, message: Envelope, returned: Returned
) -> tuple[Envelope, ...]:
    """Return the message for on_success: (message, result)."""
    return _call(options.on_success, message, returned.value)


def failure(
    options: Options, message: Envelope, error: BaseException
) -> tuple[Envelope, ...]:
    """Return the message for on_failure: (message, {"type", "message"})."""
    told = {"type": readable(type(error).__name__), "message": _words(error)}
    return _call(options.on_failure, message, told)


def exhausted(options: Options, message: Envelope, run: Run) -> tuple[Envelope, ...]:
    """Return the message for on_retry_exhausted: (message, counts)."""
    counts = {"retries": run.retries, "max_retries": options.max_retries}
    return _call(options.on_retry_exhausted, message, counts)


def _call(actor_name: str | None, message: Envelope, said: Any) -> tuple[Envelope, ...]:
    if not actor_name:
        return ()
    args: Sequence[Any] = (message.asdict(), said)
    # Without a queue: its declaration tells it, where it is enqueued.
    return (Envelope("", actor_name, tuple(args), {}, {}),)


def _words(error: BaseException) -> str:
    try:
        return readable(redact(str(error))[:2000])
    except Exception:  # the actor's own code once more
        return ""
