"""What is particular to the Celery adapter; promises are in tests/conformance."""

import socket
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from backends.celery import CeleryBackend
from core.backend import EngineMessage
from core.errors import BrokerUnavailable
from tests.backends.taking import faster_than

QUEUE = "ns.celery.default.mail"
ACTOR = "shop.tasks.send_receipt"
MESSAGE = EngineMessage(str(uuid4()), ACTOR, QUEUE, "signed")


class Counter:
    """A receiver that only has actors."""

    alias = "default"
    longest = 10_000_000

    def deliver(self, queue: str, body: str) -> None: ...
    def park(self, queue: str, body: bytes, reason: str) -> None: ...
    def worker_started(self, threads: int) -> None: ...
    def worker_stopping(self) -> None: ...
    def worker_stopped(self) -> None: ...
    def actors(self) -> Mapping[str, str]:
        return {ACTOR: QUEUE}


def backend(url: str, **options: Any) -> CeleryBackend:
    return CeleryBackend("default", url, Counter(), **options)


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never says a word, as a frozen broker."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens, as of a broker that is down."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize(
    "call",
    [
        lambda broker: broker.publish([MESSAGE]),
        lambda broker: broker.announce("events", [b"{}"]),
        lambda broker: broker.depth(QUEUE),
        lambda broker: broker.purge(QUEUE),
        lambda broker: broker.ping(),
    ],
    ids=["publish", "announce", "depth", "purge", "ping"],
)
def test_a_frozen_broker_is_unavailable_within_the_deadline(
    scheme: str, call: Any, deaf_port: int
) -> None:
    broker = backend(f"{scheme}://127.0.0.1:{deaf_port}", publish_timeout=0.3)
    with faster_than(0.6), pytest.raises(BrokerUnavailable):
        call(broker)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_down_is_unavailable_at_once(
    scheme: str, closed_port: int
) -> None:
    broker = backend(f"{scheme}://127.0.0.1:{closed_port}")
    with faster_than(1), pytest.raises(BrokerUnavailable, match="refused"):
        broker.publish([MESSAGE])


def test_publishing_nothing_needs_no_broker(closed_port: int) -> None:
    backend(f"redis://127.0.0.1:{closed_port}").publish([])


def test_the_command_line_finds_every_actor_and_its_queue() -> None:
    app = backend("redis://127.0.0.1").app
    assert ACTOR in app.tasks
    assert list(app.amqp.queues) == [QUEUE]
    assert not app.amqp.queues[QUEUE].exchange.name


def test_the_environment_does_not_move_a_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere:1/9")
    app = backend("redis://here:2/3").app
    connection = app.connection_for_read()
    assert (connection.hostname, connection.port) == ("here", 2)
