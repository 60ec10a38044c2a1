"""The shop's own settings, observed in every way.

OBSERVED_SPANS  the file that spans are written to, a JSON object a line
"""

import json
import os

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from settings.base import BROKERS, INSTALLED_APPS, MIDDLEWARE
from settings.dev import *  # noqa: F403  # an environment is the base and its changes
from settings.environment import env
from settings.logs import log_lines

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.observed.apps.ObservedConfig"]
MIDDLEWARE = ["tests.observed.requests.traced", *MIDDLEWARE]
ROOT_URLCONF = "tests.observed.urls"
BROKERS["default"]["MIDDLEWARE"] = ["backends.opentelemetry.OpenTelemetry"]
if BROKERS["default"]["BACKEND"].endswith("CeleryBackend"):
    BROKERS["default"]["OPTIONS"] = {"flower": True}
LOGGING = log_lines("json", "INFO")

_exporter = ConsoleSpanExporter(
    out=open(env.str("OBSERVED_SPANS"), "a"),  # noqa: SIM115  # as long as the process
    formatter=lambda span: json.dumps(json.loads(span.to_json())) + "\n",
)
_provider = TracerProvider(resource=Resource({"process.pid": os.getpid()}))
_provider.add_span_processor(SimpleSpanProcessor(_exporter))
trace.set_tracer_provider(_provider)
