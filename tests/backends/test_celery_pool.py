"""What Celery's adapter asks of real brokers: in bands, in time, for everyone."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pika
import pytest
import redis

from backends.celery import CeleryBackend, redis_connection
from core.backend import BANDS, EngineMessage
from core.errors import BrokerUnavailable
from tests.backends.taking import faster_than
from tests.backends.test_celery import ACTOR, backend
from tests.services.faults import alarmed, frozen
from tests.services.rabbitmq import RabbitMQ
from tests.services.valkey import Valkey

EVENTS = [b'{"id": "1"}', b'{"id": "2"}']
#: What core grants to a direct send, and what a busy machine may add, s.
DIRECT, SLACK = 0.3, 0.3


@pytest.fixture(params=["valkey", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def broker(server: Any) -> CeleryBackend:
    return backend(server.url)


@pytest.fixture
def name() -> str:
    """A queue, an exchange or a stream of the test's own."""
    return f"test.celery.default.{uuid4().hex}"


@pytest.fixture
def stream(valkey: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def channel(rabbitmq: RabbitMQ) -> Iterator[Any]:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        yield connection.channel()


@pytest.fixture
def chatterbox() -> Iterator[int]:
    """A port that answers with AMQP heartbeats for six seconds, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=chatter, args=[server], daemon=True).start()
        yield server.getsockname()[1]


def chatter(server: socket.socket) -> None:
    link, _ = server.accept()
    with link, suppress(OSError):
        link.recv(8)  # the client's greeting
        for _ in range(120):
            link.sendall(b"\x08\x00\x00\x00\x00\x00\x00\xce")
            time.sleep(0.05)


def message(queue: str, band: int = 2, body: str = "signed") -> EngineMessage:
    return EngineMessage(str(uuid4()), ACTOR, queue, body, band)


def fails_in_time(call: Callable[[], None]) -> None:
    late = pytest.raises(BrokerUnavailable, match=r"TimeoutError|timed out")
    with faster_than(DIRECT + SLACK), late:
        call()


def test_depth_and_purge_count_all_bands(broker: CeleryBackend, name: str) -> None:
    broker.publish([message(name, band) for band in range(BANDS)] * 2)
    assert broker.depth(name) == 2 * BANDS
    assert broker.purge(name) == 2 * BANDS
    assert broker.depth(name) == 0


def test_every_message_has_its_priority_on_rabbitmq(
    rabbitmq: RabbitMQ, channel: Any, name: str
) -> None:
    backend(rabbitmq.url).publish([message(name, band) for band in (4, 0, 2, 3, 1)])
    served = [channel.basic_get(name, auto_ack=True)[1].priority for _ in range(BANDS)]
    assert served == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("is_connected", [False, True])
def test_direct_send_to_a_frozen_broker_fails_in_its_time(
    server: Any, broker: CeleryBackend, name: str, is_connected: bool
) -> None:
    if is_connected:
        broker.publish([message(name)])
    with frozen(server):
        fails_in_time(lambda: broker.publish([message(name)], DIRECT))


def test_direct_send_over_a_connection_that_was_cut_fails_in_its_time(
    valkey: Valkey, stream: redis.Redis, name: str
) -> None:
    broker = backend(valkey.url)
    broker.publish([message(name)])
    stream.client_kill_filter(_type="normal")
    with frozen(valkey):
        fails_in_time(lambda: broker.publish([message(name)], DIRECT))


def test_direct_send_of_much_to_a_frozen_broker_fails_in_its_time(
    server: Any, broker: CeleryBackend, name: str
) -> None:
    broker.publish([message(name)])
    much = [message(name, body="x" * 1024 * 1024) for _ in range(8)]
    with frozen(server):
        fails_in_time(lambda: broker.publish(much, DIRECT))


def test_direct_send_to_a_broker_that_chatters_fails_in_its_time(
    chatterbox: int, name: str
) -> None:
    broker = backend(f"amqp://127.0.0.1:{chatterbox}")
    fails_in_time(lambda: broker.publish([message(name)], DIRECT))


def test_connection_outlives_the_deadline_of_one_send(server: Any, name: str) -> None:
    broker = backend(server.url, publish_timeout=30)
    broker.publish([message(name)])  # opens the connection, which may take longer
    broker.publish([message(name)], DIRECT)
    with frozen(server):
        threading.Timer(DIRECT + SLACK, server.thaw).start()
        before = list(broker._pool._idle)
        broker.publish([message(name)])  # has its own deadline
    assert list(broker._pool._idle) == before


def test_events_reach_every_queue_bound_on_rabbitmq(
    rabbitmq: RabbitMQ, channel: Any, name: str
) -> None:
    broker = backend(rabbitmq.url)
    broker.announce(name, [b"nobody listens"])
    channel.exchange_declare(name, "fanout", durable=True)  # as it is, or refused
    for listener in ("one", "two"):
        channel.queue_declare(f"{name}.{listener}")
        channel.queue_bind(f"{name}.{listener}", name)
    broker.announce(name, EVENTS)
    for listener in ("one", "two"):
        found = [channel.basic_get(f"{name}.{listener}", True) for _ in EVENTS]
        assert [body for _, _, body in found] == EVENTS
        told = {(how.content_type, how.delivery_mode) for _, how, _ in found}
        assert told == {("application/cloudevents+json", 2)}


def test_exchange_that_somebody_deleted_is_declared_again(
    rabbitmq: RabbitMQ, channel: Any, name: str
) -> None:
    broker = backend(rabbitmq.url)
    broker.announce(name, EVENTS)
    channel.exchange_delete(name)
    broker.announce(name, EVENTS)
    channel.exchange_declare(name, "fanout", passive=True)


def test_events_are_entries_of_a_stream_on_redis(
    valkey: Valkey, stream: redis.Redis, name: str
) -> None:
    backend(valkey.url).announce(name, EVENTS)
    assert [fields for _, fields in stream.xrange(name)] == [
        {b"event": event} for event in EVENTS
    ]


def test_stream_forgets_its_oldest_events(
    valkey: Valkey, stream: redis.Redis, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_connection, "_KEPT_EVENTS", 100)
    backend(valkey.url).announce(name, [b"%d" % number for number in range(1500)])
    assert 100 <= stream.xlen(name) < 300  # Redis trims a node at a time
    assert stream.xrevrange(name, count=1)[0][1] == {b"event": b"1499"}


def test_announcing_to_a_frozen_broker_fails_in_time(server: Any, name: str) -> None:
    broker = backend(server.url, publish_timeout=DIRECT)
    with frozen(server):
        fails_in_time(lambda: broker.announce(name, EVENTS))


def test_announcing_to_a_broker_out_of_memory_fails(
    server: Any, broker: CeleryBackend, name: str
) -> None:
    with alarmed(server), pytest.raises(BrokerUnavailable):
        broker.announce(name, EVENTS)


def test_announcing_to_an_exchange_of_another_kind_says_so(
    rabbitmq: RabbitMQ, channel: Any, name: str
) -> None:
    channel.exchange_declare(name, "direct")
    with pytest.raises(BrokerUnavailable, match="inequivalent arg 'type'"):
        backend(rabbitmq.url).announce(name, EVENTS)


def test_announcing_nothing_needs_no_broker() -> None:
    backend("redis://127.0.0.1:1").announce("nowhere", [])
