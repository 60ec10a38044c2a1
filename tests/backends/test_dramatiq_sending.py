"""Sending by Dramatiq's brokers: deadlines that hold, and events for everyone."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator

import pika
import pytest
import redis

from backends.dramatiq import DramatiqBackend, redis_broker
from core.errors import BrokerUnavailable
from tests.backends.receivers import Recorder, message
from tests.backends.taking import faster_than
from tests.services.faults import frozen
from tests.services.rabbitmq import RabbitMQ
from tests.services.server import Server
from tests.services.valkey import Valkey

EVENTS = [b'{"id": "1"}', b'{"id": "2"}']
#: What core gives a direct send, and what a busy machine may add, s.
SECONDS, SLACK = 0.3, 0.15


@pytest.fixture(params=["valkey", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


@pytest.fixture
def backend(server: Server) -> DramatiqBackend:
    return DramatiqBackend("alias", server.url, Recorder())


@pytest.fixture
def channel() -> str:
    return f"test.{uuid.uuid4()}"


@pytest.fixture
def slow_port() -> Iterator[int]:
    """A port where whatever is said is answered, each time a little late."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_slowly, args=[listener], daemon=True).start()
        yield listener.getsockname()[1]


def answer_slowly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        while connection.recv(4096):
            time.sleep(0.2)  # less than the deadline, and more than half of it
            connection.sendall(b"+OK\r\n")


def fails_in_time(backend: DramatiqBackend) -> None:
    with faster_than(SECONDS + SLACK), pytest.raises(BrokerUnavailable):
        backend.publish([message()], SECONDS)


def test_first_send_to_a_frozen_broker_ends_in_time(
    backend: DramatiqBackend, server: Server
) -> None:
    with frozen(server):
        fails_in_time(backend)


def test_send_to_a_broker_that_froze_meanwhile_ends_in_time(
    backend: DramatiqBackend, server: Server, channel: str
) -> None:
    backend.publish([message(queue=channel)], SECONDS)
    with frozen(server):
        fails_in_time(backend)
    backend.publish([message(queue=channel)])


def test_send_to_a_slow_redis_ends_in_time(slow_port: int) -> None:
    url = f"redis://:secret@127.0.0.1:{slow_port}/1"
    fails_in_time(DramatiqBackend("alias", url, Recorder()))


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_send_that_cannot_connect_ends_in_time(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        # Its queue of connections is full: the next one is not even refused.
        with socket.create_connection(address), socket.socket() as other:
            other.setblocking(False)
            other.connect_ex(address)
            url = f"{scheme}://127.0.0.1:{address[1]}"
            fails_in_time(DramatiqBackend("alias", url, Recorder()))


def test_send_has_the_deadline_of_the_alias_by_default(server: Server) -> None:
    backend = DramatiqBackend("alias", server.url, Recorder(), publish_timeout=0.6)
    with frozen(server), pytest.raises(BrokerUnavailable):
        start = time.monotonic()
        with faster_than(0.6 + SLACK):
            backend.publish([message()])
    assert time.monotonic() - start > 0.5


def test_announcing_to_a_frozen_broker_ends_in_time(
    server: Server, channel: str
) -> None:
    backend = DramatiqBackend("alias", server.url, Recorder(), publish_timeout=0.3)
    with frozen(server), faster_than(0.3 + SLACK), pytest.raises(BrokerUnavailable):
        backend.announce(channel, EVENTS)


def test_event_on_redis_is_an_entry_of_a_stream(valkey: Valkey, channel: str) -> None:
    backend = DramatiqBackend("alias", valkey.url, Recorder())
    backend.announce(channel, EVENTS)
    with redis.Redis.from_url(valkey.url) as client:
        entries = client.xrange(channel)
    assert [fields for _, fields in entries] == [{b"event": event} for event in EVENTS]


def test_stream_is_trimmed(
    valkey: Valkey, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_broker, "STREAM_LENGTH", 200)
    backend = DramatiqBackend("alias", valkey.url, Recorder())
    backend.announce(channel, EVENTS * 500)
    with redis.Redis.from_url(valkey.url) as client:
        assert 200 <= client.xlen(channel) < 400


def test_event_on_rabbitmq_goes_to_every_queue_that_was_bound(
    rabbitmq: RabbitMQ, channel: str
) -> None:
    backend = DramatiqBackend("alias", rabbitmq.url, Recorder())
    backend.announce(channel, EVENTS)  # nobody listens: the exchange is declared
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    own = connection.channel()
    queues = [own.queue_declare("", exclusive=True).method.queue for _ in range(2)]
    for queue in queues:
        own.queue_bind(queue, channel)
    backend.announce(channel, EVENTS)
    for queue in queues:
        for event in EVENTS:
            _, properties, body = own.basic_get(queue, auto_ack=True)
            assert (body, properties.delivery_mode) == (event, 2)
            assert properties.content_type == "application/cloudevents+json"
    own.exchange_declare(channel, "fanout", durable=True)  # raises if it is not
    connection.close()
