"""Reading what the checks say."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage

INPROCESS = "backends.inprocess.InProcessBackend"
CELERY = "backends.celery.CeleryBackend"
DRAMATIQ = "backends.dramatiq.DramatiqBackend"


def ids(messages: Sequence[CheckMessage]) -> list[str]:
    return [message.id.removeprefix("switchyard.") for message in messages]


def with_bad(settings: Any, **config: Any) -> None:
    settings.BROKERS = {"default": {"BACKEND": INPROCESS}, "bad": config}
