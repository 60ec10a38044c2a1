"""What the receiver hears of Celery's signals, which are the whole process's."""

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from celery import signals as celery_signals

from backends.celery import CeleryBackend, signals


class Listener:
    """A receiver that keeps what it was told."""

    longest = 10_000_000
    alias = "default"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def deliver(self, queue: str, body: str) -> None: ...
    def park(self, queue: str, body: bytes, reason: str) -> None: ...

    def worker_started(self, threads: int) -> None:
        self.heard.append(f"started {threads}")

    def worker_stopping(self) -> None:
        self.heard.append("stopping")

    def worker_stopped(self) -> None:
        self.heard.append("stopped")

    def actors(self) -> Mapping[str, str]:
        return {}


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def backend(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> CeleryBackend:
    """A backend whose worker "ours@host" is up; it tells at once, in no thread."""
    monkeypatch.setattr(signals, "start_new_thread", lambda tell, args: tell(*args))
    backend = CeleryBackend("default", "redis://127.0.0.1:1", listener)
    celery_signals.worker_ready.send(sender=Sender(backend.app))
    return backend


class Sender:
    """What Celery names as the sender: the consumer, or the whole worker."""

    hostname = "ours@host"
    controller = SimpleNamespace(concurrency=4)

    def __init__(self, app: object) -> None:
        self.app = app


def test_worker_of_another_app_is_not_ours(
    backend: CeleryBackend, listener: Listener
) -> None:
    other = CeleryBackend("default", "redis://127.0.0.1:1", Listener())
    celery_signals.worker_shutting_down.send(sender="other@host")
    celery_signals.worker_shutdown.send(sender=Sender(other.app))
    assert listener.heard == ["started 4"]


def test_every_word_comes_once_and_in_order(
    backend: CeleryBackend, listener: Listener
) -> None:
    for _ in range(2):
        celery_signals.worker_shutting_down.send(sender="ours@host")
    for _ in range(2):
        celery_signals.worker_shutdown.send(sender=Sender(backend.app))
    celery_signals.worker_shutting_down.send(sender="ours@host")
    assert listener.heard == ["started 4", "stopping", "stopped"]


def test_worker_that_ends_unasked_is_stopping_before_it_has_stopped(
    backend: CeleryBackend, listener: Listener
) -> None:
    celery_signals.worker_shutdown.send(sender=Sender(backend.app))
    assert listener.heard == ["started 4", "stopping", "stopped"]


def test_second_worker_of_a_process_is_announced_again(
    backend: CeleryBackend, listener: Listener
) -> None:
    celery_signals.worker_shutdown.send(sender=Sender(backend.app))
    celery_signals.worker_ready.send(sender=Sender(backend.app))
    celery_signals.worker_shutting_down.send(sender="ours@host")
    assert listener.heard[3:] == ["started 4", "stopping"]
