"""How messages get to a worker on Redis, and back: the layout, and lost connections."""

import threading

import pytest
import redis

from backends.dramatiq import DramatiqBackend, consumer
from backends.dramatiq.redis_broker import RedisBroker
from backends.dramatiq.redis_consumer import RedisConsumer
from tests.backends.dramatiq_redis.layout import LIST, MESSAGES, refuse
from tests.backends.receivers import QUEUE, Recorder, message
from tests.backends.taking import faster_than, take
from tests.services.waiting import wait_for


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
        assert next(taker) is None
    assert client.hlen(MESSAGES) == 1
    assert next(taker) is None
    assert client.hlen(MESSAGES) == 0


def test_acknowledgements_go_with_the_next_fetch(
    backend: DramatiqBackend, taker: RedisConsumer, client: redis.Redis
) -> None:
    backend.publish([message("a"), message("b"), message("c")])
    for _ in range(2):
        taker.ack(take(taker))
    assert client.hlen(MESSAGES) == 3
    assert take(taker).args == ("c",)  # fetched with the others
    assert next(taker) is None
    assert client.hlen(MESSAGES) == 1


def test_consumer_that_waits_for_messages_acknowledges_at_once(
    backend: DramatiqBackend,
    taker: RedisConsumer,
    client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend.publish([message()])
    taken, waits, rung = take(taker), threading.Event(), threading.Event()

    def wait_for_the_bell(key: str, timeout: float) -> None:
        waits.set()
        assert rung.wait(60)

    monkeypatch.setattr(taker.broker, "wait_for", wait_for_the_bell)
    thread = threading.Thread(target=next, args=(taker,))
    thread.start()
    assert waits.wait(20)
    taker.ack(taken)
    assert client.hlen(MESSAGES) == 0
    rung.set()
    thread.join()


def test_consumer_that_waits_for_room_is_woken_to_acknowledge(
    backend: DramatiqBackend, client: redis.Redis
) -> None:
    backend.publish([message("a")])
    full = backend.broker.consume(QUEUE, prefetch=2, timeout=60_000)
    taken = take(full)
    thread = threading.Thread(target=take, args=(full, 60))
    thread.start()
    full.ack(taken)
    wait_for(lambda: not client.hlen(MESSAGES))
    backend.publish([message("b")])
    thread.join()


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
