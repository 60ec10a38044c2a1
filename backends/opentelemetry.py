"""Spans of OpenTelemetry: one trace from the send to the body and what follows it.

The sender's context travels in the option `trace`, with the row or in the signed
message. What an exception says stays out of spans: it may hold what was an argument.
"""

import traceback
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core import Middleware, Retry, current_run
from core.wire.envelope import Envelope

#: Always these headers, whatever the process propagates elsewhere: the baggage of a
#: request may hold what is nobody's business at the broker.
_W3C = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class _Opened:
    """A body at work, or one whose outcome is being settled."""

    message_id: str
    span: Span
    token: Token[Context]
    #: The enclosing span, when a message is delivered while it is sent.
    outer: "_Opened | None"


_opened: ContextVar[_Opened | None] = ContextVar("switchyard_span", default=None)


class OpenTelemetry(Middleware):
    """A span for each send and for each attempt.

    Named in BROKERS[alias]["MIDDLEWARE"] by its path, or as an instance with a provider
    of its own; without one it is the process's, also if that is set later.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("switchyard", tracer_provider=tracer_provider)

    def before_enqueue(self, broker: Any, message: Envelope, delay: int | None) -> None:
        """Put a span for the send on record, and on the message."""
        # The database's own spans tell how long it took; this one cannot be left open,
        # for nothing is said of a send that failed.
        given = message.options.get("trace")
        span = self._tracer.start_span(
            f"send {message.actor_name}",
            context=_W3C.extract(given) if given else None,
            kind=SpanKind.PRODUCER,
            attributes=_about(broker, message, "send"),
        )
        headers: dict[str, str] = {}
        _W3C.inject(headers, trace.set_span_in_context(span))
        if headers:
            message.options["trace"] = headers
        span.end()

    def before_process_message(self, broker: Any, message: Envelope) -> None:
        """Begin the span of an attempt."""
        parent = _W3C.extract(message.options.get("trace") or {}, Context())
        creation = trace.get_current_span(parent).get_span_context()
        run = current_run()
        span = self._tracer.start_span(
            f"process {message.actor_name}",
            context=parent,
            kind=SpanKind.CONSUMER,
            links=[Link(creation)] if creation.is_valid else [],
            attributes={
                **_about(broker, message, "process"),
                "switchyard.attempt": run.attempt if run else 1,
            },
        )
        token = context.attach(trace.set_span_in_context(span, parent))
        _opened.set(_Opened(message.message_id, span, token, _opened.get()))

    def after_process_message(
        self,
        broker: Any,
        message: Envelope,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """End the span; it stays the current one for what the settling sends."""
        opened = _opened.get()
        if opened is not None and opened.message_id == message.message_id:
            # A Retry is what the body asked for.
            if exception is not None and not isinstance(exception, Retry):
                _record(opened.span, exception)
            opened.span.end()

    def before_ack(self, broker: Any, message: Envelope) -> None:
        """Leave the span: all is settled, callbacks are sent."""
        _leave(message, "lease lost")

    def after_skip_message(self, broker: Any, message: Envelope) -> None:
        """Leave the span of a body that did not run."""
        _leave(message, "skipped")


def _about(broker: Any, message: Envelope, operation: str) -> dict[str, str]:
    return {
        "messaging.system": broker.backend.engine,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": message.queue_name,
        "messaging.message.id": message.message_id,
        "switchyard.actor": message.actor_name,
        "switchyard.broker": broker.alias,
    }


def _record(span: Span, error: BaseException) -> None:
    """Record the type and the frames of an exception, without its text."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    frames = "".join(traceback.format_tb(error.__traceback__))
    span.set_status(Status(StatusCode.ERROR, name))
    span.set_attribute("error.type", name)
    span.add_event(
        "exception", {"exception.type": name, "exception.stacktrace": frames}
    )


def _leave(message: Envelope, why: str) -> None:
    opened = _opened.get()
    if opened is None or opened.message_id != message.message_id:
        return
    if opened.span.is_recording():  # nobody said that the body had ended
        opened.span.set_status(Status(StatusCode.ERROR, why))
        opened.span.end()
    _opened.set(opened.outer)
    context.detach(opened.token)
