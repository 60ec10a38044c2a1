"""Stands for core in the adapters' own tests: keeps what it was handed."""

from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string

from core.backend import MIDDLE_BAND, BaseBackend, EngineMessage

QUEUE = "test.dramatiq.alias.mail"
#: The adapters that connect to a broker.
KINDS = ["backends.celery.CeleryBackend", "backends.dramatiq.DramatiqBackend"]


def build(kind: str, url: str, **options: Any) -> BaseBackend:
    """Return a backend of one of these kinds."""
    backend: BaseBackend = import_string(kind)("alias", url, Recorder(), **options)
    return backend


class Recorder:
    """A receiver that can be told to fail."""

    alias = "alias"
    longest = 10_000_000

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str]] = []
        self.parked: list[tuple[bytes, str]] = []
        self.failing = False

    def deliver(self, queue: str, body: str) -> None:
        self._check()
        self.delivered.append((queue, body))

    def park(self, queue: str, body: bytes, reason: str) -> None:
        self._check()
        self.parked.append((body, reason))

    def worker_started(self, threads: int) -> None: ...

    def worker_stopping(self) -> None: ...

    def worker_stopped(self) -> None: ...

    def actors(self) -> Mapping[str, str]:
        return {"shop.tasks.send_receipt": QUEUE}

    def _check(self) -> None:
        if self.failing:
            raise ConnectionError("no database")


def message(
    body: str = "signed", queue: str = QUEUE, band: int = MIDDLE_BAND
) -> EngineMessage:
    return EngineMessage("an-id", "shop.tasks.send_receipt", queue, body, band)
