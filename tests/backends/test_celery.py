"""What is particular to the Celery adapter; promises are in tests/conformance."""

import socket
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from backends.celery import CeleryBackend
from backends.celery.urls import parse
from core.backend import EngineMessage
from core.errors import BrokerConfigError, BrokerUnavailable
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


@pytest.mark.parametrize("path", ["", "/", "//", "/%2F"])
def test_every_spelling_of_the_default_vhost_means_it(path: str) -> None:
    address = parse("default", f"amqp://host{path}")
    assert address.arguments["virtual_host"] == "/"


def test_a_vhost_of_its_own_is_kept() -> None:
    address = parse("default", "amqp://u:p%40ss@host:5673/staging")
    assert address.arguments == {
        "hostname": "host",
        "port": 5673,
        "userid": "u",
        "password": "p@ss",
        "virtual_host": "staging",
    }


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("redis://host", "0"),
        ("redis://host/3", "3"),
        ("redis://host?db=4", "4"),
        ("unix:///run/redis.sock?db=5", "5"),
    ],
)
def test_the_database_of_a_redis_is_read(url: str, database: str) -> None:
    assert parse("default", url).arguments["virtual_host"] == database


def test_a_socket_keeps_its_path_and_password() -> None:
    address = parse("default", "unix://:pw@/run/redis.sock")
    assert address.arguments["hostname"] == "redis+socket://:pw@/run/redis.sock"


def test_tls_verifies_the_broker_unless_told_otherwise() -> None:
    verified = parse("default", "rediss://host").arguments["ssl"]
    trusting = parse("default", "rediss://host?ssl_cert_reqs=none").arguments["ssl"]
    assert verified == {"ssl_cert_reqs": "required"}
    assert trusting == {"ssl_cert_reqs": "none"}


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("sqs://key:secret@host", "scheme must be one of redis, rediss, unix, amqp"),
        ("host:6379", "scheme must be one of"),
        ("redis://user:secret@", "names no host"),
        ("redis://user:secret@host/mail", "a Redis database is a number"),
        ("redis://user:secret@host?dbb=1", "no parameter 'dbb'"),
        ("redis://user:se/cret@host", "%2F"),
        ("unix://user:secret@run/redis.sock", "three slashes"),
    ],
)
def test_a_url_we_cannot_use_is_refused_without_its_password(
    url: str, mend: str
) -> None:
    with pytest.raises(BrokerConfigError) as refusal:
        backend(url)
    text = str(refusal.value)
    assert text.startswith("BROKERS['default']: URL: ")
    assert mend in text
    assert "secret" not in text
    assert "cret" not in text.replace("secret", "")


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
