"""What no worker of ours has written to a Redis list is parked, or served."""

import pytest
import redis

from backends.dramatiq import DramatiqBackend, consumer
from backends.dramatiq.redis_consumer import RedisConsumer
from tests.backends.dramatiq_redis.layout import LIST, MESSAGES, encoded
from tests.backends.receivers import QUEUE, Recorder, message
from tests.backends.taking import take
from tests.services.waiting import wait_for

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
    assert next(taker) is None  # acknowledges
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
    assert next(taker) is None  # acknowledges
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
