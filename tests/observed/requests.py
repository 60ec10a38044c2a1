"""A span for each request, as OpenTelemetry's own instrumentation makes one."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from opentelemetry import trace


def traced(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        tracer = trace.get_tracer("requests")
        with tracer.start_as_current_span(f"{request.method} {request.path}"):
            return answer(request)

    return middleware
