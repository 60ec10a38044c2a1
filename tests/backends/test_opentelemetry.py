"""One trace from the send through the attempts to what follows, in this process."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from backends.opentelemetry import OpenTelemetry
from core import Middleware, Retry, SkipMessage, actor, group
from core.models import Run
from core.testing import drain
from tests.backends.tracing import finished, provider, spans, tracer, traces, use

pytestmark = pytest.mark.django_db(transaction=True)


class Refuse(Middleware):
    """Has every body skipped."""

    def before_process_message(self, broker: Any, message: Any) -> None:
        raise SkipMessage("not today")


@pytest.fixture
def exporter(settings: Any) -> Iterator[InMemorySpanExporter]:
    """Where the spans end up; the default alias makes some."""
    finished.clear()
    use(settings, OpenTelemetry(provider))
    yield finished
    use(settings)


@actor(actor_name="test.traced.step", queue_name="steps")
def step(number: int = 0) -> int:
    with tracer.start_as_current_span("inside"):
        return number + 1


@actor(actor_name="test.traced.told")
def told(message: dict[str, Any], said: Any) -> None:
    """Hear of an end."""


@actor(actor_name="test.traced.child")
def child() -> None:
    """Be sent by a body."""


@actor(actor_name="test.traced.async-parent")
async def async_parent() -> None:
    await child.asend()


@actor(actor_name="test.traced.flaky", min_backoff=0, max_retries=2, on_failure=told)
def flaky(password: str) -> None:
    raise ValueError(f"wrong password {password}")


@actor(actor_name="test.traced.asking", min_backoff=0, max_retries=1)
def asking() -> None:
    raise Retry("not yet", delay=0)


@actor(actor_name="test.traced.direct", durable=False, min_backoff=0, max_retries=1)
def direct() -> None:
    raise ValueError("once more")


def test_body_is_in_the_trace_of_the_request(exporter: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("request") as request:
        message = step.send(1)
    sent, inside, body, _ = spans(exporter)
    assert [sent.name, body.name] == [
        "send test.traced.step",
        "process test.traced.step",
    ]
    assert traces(exporter) == {request.get_span_context().trace_id}
    assert sent.parent.span_id == request.get_span_context().span_id
    assert body.parent.span_id == body.links[0].context.span_id == sent.context.span_id
    assert inside.parent.span_id == body.context.span_id
    assert (sent.kind, body.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert dict(body.attributes) == {
        "messaging.system": "inprocess",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "steps",
        "messaging.message.id": message.message_id,
        "switchyard.actor": "test.traced.step",
        "switchyard.broker": "default",
        "switchyard.attempt": 1,
    }
    assert sent.attributes["messaging.operation.type"] == "send"


def test_steps_of_a_pipeline_are_in_one_trace(exporter: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("request"):
        (step.message(1) | group([step.message(), step.message()])).run()
        drain()
    assert len(spans(exporter, "process test.traced.step")) == 3
    assert len(traces(exporter)) == 1


def test_attempts_are_spans_of_one_trace_with_their_numbers(
    exporter: InMemorySpanExporter,
) -> None:
    flaky.send("hunter2")
    drain()
    attempts = spans(exporter, "process test.traced.flaky")
    assert [span.attributes["switchyard.attempt"] for span in attempts] == [1, 2, 3]
    assert {span.parent.span_id for span in attempts} == {
        spans(exporter, "send test.traced.flaky")[0].context.span_id
    }
    assert len(traces(exporter)) == 1


def test_callback_is_in_the_trace_below_what_it_follows(
    exporter: InMemorySpanExporter,
) -> None:
    step.using(on_success=told).send(1)
    drain()
    (followed,) = spans(exporter, "process test.traced.step")
    (sent,) = spans(exporter, "send test.traced.told")
    assert sent.parent.span_id == followed.context.span_id
    assert sent.attributes["messaging.destination.name"] == "default"
    assert spans(exporter, "process test.traced.told")
    assert len(traces(exporter)) == 1


def test_callback_of_a_failure_is_below_the_attempt_that_failed(
    exporter: InMemorySpanExporter,
) -> None:
    flaky.send("hunter2")
    drain()
    attempts = spans(exporter, "process test.traced.flaky")
    sent = spans(exporter, "send test.traced.told")
    assert [span.parent.span_id for span in sent] == [
        span.context.span_id for span in attempts
    ]


def test_send_of_a_coroutine_is_below_its_body(exporter: InMemorySpanExporter) -> None:
    async_parent.send()
    (body,) = spans(exporter, "process test.traced.async-parent")
    (sent,) = spans(exporter, "send test.traced.child")
    assert sent.parent.span_id == body.context.span_id


def test_failure_hides_the_words_of_the_exception(
    exporter: InMemorySpanExporter,
) -> None:
    flaky.send("hunter2")
    drain()
    body = spans(exporter, "process test.traced.flaky")[0]
    (event,) = body.events
    assert body.status.status_code is StatusCode.ERROR
    assert body.attributes["error.type"] == "ValueError"
    assert "in flaky" in event.attributes["exception.stacktrace"]
    assert "hunter2" not in "".join(span.to_json() for span in spans(exporter))


def test_retry_that_the_body_asks_for_is_no_error(
    exporter: InMemorySpanExporter,
) -> None:
    asking.send()
    drain()
    attempts = spans(exporter, "process test.traced.asking")
    assert [span.status.is_ok for span in attempts] == [True, True]


def test_direct_message_carries_its_trace_also_into_its_retry(
    exporter: InMemorySpanExporter,
) -> None:
    with tracer.start_as_current_span("request"):
        direct.send()
    drain()
    attempts = spans(exporter, "process test.traced.direct")
    assert [span.attributes["switchyard.attempt"] for span in attempts] == [1, 2]
    assert len(traces(exporter)) == 1


def test_send_after_a_body_is_not_below_its_span(
    exporter: InMemorySpanExporter,
) -> None:
    step.send(1)
    step.send(2)
    assert len(traces(exporter)) == 2
    with tracer.start_as_current_span("request") as request:
        step.send(3)
        step.send(4)
    below = {
        span.parent.span_id for span in spans(exporter, "send test.traced.step")[2:]
    }
    assert below == {request.get_span_context().span_id}


def test_body_that_is_skipped_leaves_nothing_open(
    exporter: InMemorySpanExporter, settings: Any
) -> None:
    use(settings, OpenTelemetry(provider), Refuse())
    with tracer.start_as_current_span("request") as request:
        step.send(1)
        step.send(2)
    skipped = spans(exporter, "process test.traced.step")
    assert [span.status.description for span in skipped] == ["skipped", "skipped"]
    below = {span.parent.span_id for span in spans(exporter, "send test.traced.step")}
    assert below == {request.get_span_context().span_id}


def test_sends_with_the_same_options_keep_their_traces_apart(
    exporter: InMemorySpanExporter,
) -> None:
    urgent = step.using(priority=-10)
    for name in ("first request", "second request"):
        with tracer.start_as_current_span(name):
            urgent.send(1)
    sent = spans(exporter, "send test.traced.step")
    for span, request in zip(sent, spans(exporter, "request"), strict=True):
        assert span.parent.span_id == request.context.span_id


def test_trace_that_a_send_gives_comes_first(exporter: InMemorySpanExporter) -> None:
    given = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}
    with tracer.start_as_current_span("request"):
        step.using(trace=given).send(1)
    (body,) = spans(exporter, "process test.traced.step")
    assert format(body.context.trace_id, "032x") == "ab" * 16


def test_message_of_a_traced_sender_runs_where_nobody_traces(
    exporter: InMemorySpanExporter, settings: Any
) -> None:
    step.using(delay=60_000).send(1)
    run = Run.objects.get()
    assert "traceparent" in run.options["trace"]
    use(settings)
    Run.objects.update(due_at=run.created_at)
    drain()
    run.refresh_from_db()
    assert run.state == "succeeded"
