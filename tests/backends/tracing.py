"""Where the spans of the tests end up, and what makes some."""

from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from core import brokers

#: Where all spans end up.
finished = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(finished))
tracer = provider.get_tracer("the request")


def use(settings: Any, *middleware: Any) -> None:
    brokers["default"].worker_stopped()
    config = {**settings.BROKERS["default"], "MIDDLEWARE": middleware}
    settings.BROKERS = {**settings.BROKERS, "default": config}
    brokers.forget("default")


def spans(exporter: InMemorySpanExporter, name: str = "") -> list[ReadableSpan]:
    """Return the spans with this at the end of their names, in order of their ends."""
    return [s for s in exporter.get_finished_spans() if s.name.endswith(name)]


def traces(exporter: InMemorySpanExporter) -> set[int]:
    return {span.context.trace_id for span in spans(exporter)}
