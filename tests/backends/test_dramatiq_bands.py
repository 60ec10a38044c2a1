"""What waits for Dramatiq is served by band, in the queue itself, on both brokers."""

import threading
import uuid

import pytest
from dramatiq import Consumer

from backends.dramatiq import DramatiqBackend, consumer
from core.backend import BANDS
from tests.backends.receivers import Recorder, message
from tests.backends.taking import faster_than, take
from tests.services.waiting import wait_for


@pytest.fixture(params=["valkey", "rabbitmq"])
def backend(request: pytest.FixtureRequest) -> DramatiqBackend:
    server = request.getfixturevalue(request.param)
    return DramatiqBackend("alias", server.url, Recorder())


@pytest.fixture
def queue() -> str:
    return f"test.{uuid.uuid4()}"


#: A worker that hears of nothing looks again after so many ms: too late for a test.
HEARD = 5_000


def one_thread(backend: DramatiqBackend, queue: str, timeout: int = 50) -> Consumer:
    """Return what Dramatiq builds for a worker with one thread."""
    return backend.broker.consume(queue, prefetch=2, timeout=timeout)


def test_most_urgent_is_served_first_and_then_the_oldest(
    backend: DramatiqBackend, queue: str
) -> None:
    bands = [4, 2, 0, 3, 1, 0, 2]
    backend.publish([message(f"{b}-{n}", queue, b) for n, b in enumerate(bands)])
    taker = one_thread(backend, queue)
    served = []
    for _ in bands:
        taken = take(taker)
        served.append(taken.args[0])
        taker.ack(taken)
    assert served == ["0-2", "0-5", "1-4", "2-1", "2-6", "3-3", "4-0"]


def test_urgent_message_overtakes_what_a_busy_worker_left(
    backend: DramatiqBackend, queue: str
) -> None:
    backend.publish([message(f"later-{n}", queue, 4) for n in range(5)])
    taker = one_thread(backend, queue)
    running = take(taker)
    assert next(taker) is None
    backend.publish([message("now", queue, 0)])
    taker.ack(running)
    assert take(taker).args == ("now",)


def test_depth_and_purge_cover_every_band(backend: DramatiqBackend, queue: str) -> None:
    backend.publish([message("any", queue, band) for band in range(BANDS)])
    assert backend.depth(queue) == BANDS
    assert backend.purge(queue) == BANDS
    assert backend.depth(queue) == 0


def test_returned_message_goes_back_to_its_band(
    backend: DramatiqBackend, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "GIVE_BACK_PAUSE", 0)
    taker = one_thread(backend, queue)
    backend.publish([message("urgent", queue, 0)])
    taken = take(taker)
    backend.publish([message("less so", queue, 1)])
    taker.nack(taken)
    assert take(taker).args == ("urgent",)


@pytest.mark.parametrize("band", range(BANDS))
def test_idle_worker_is_woken_by_a_message_at_once(
    backend: DramatiqBackend, queue: str, band: int
) -> None:
    taker = one_thread(backend, queue, timeout=HEARD)
    backend.publish([message("first", queue)])
    taker.ack(take(taker))  # its next look finds nothing, and waits
    threading.Timer(0.2, backend.publish, [[message("any", queue, band)]]).start()
    with faster_than(1):
        assert take(taker).args == ("any",)


def test_busy_worker_holds_nothing_of_any_queue(
    backend: DramatiqBackend, queue: str
) -> None:
    other = f"{queue}.other"
    takers = [one_thread(backend, name) for name in (queue, other)]
    assert [next(taker) for taker in takers] == [None, None]  # both are waiting now
    backend.publish([message("runs", queue)])
    running = take(takers[0])
    backend.publish(
        [
            message("a", queue),
            message("b", other),
            message("c", other),
        ]
    )
    for _ in range(5):
        assert [next(taker) for taker in takers] == [None, None]
    wait_for(lambda: (backend.depth(queue), backend.depth(other)) == (1, 2))
    takers[0].ack(running)
    assert take(takers[1]).args == ("b",)


def test_worker_takes_the_next_message_as_soon_as_it_has_room(
    backend: DramatiqBackend, queue: str
) -> None:
    other = f"{queue}.other"
    takers = [one_thread(backend, name, timeout=HEARD) for name in (queue, other)]
    backend.publish([message("runs", queue), message("next", other)])
    running = take(takers[0])
    assert next(takers[1]) is None
    threading.Timer(0.2, takers[0].ack, [running]).start()
    # It is the first queue's thread that talks to RabbitMQ for it.
    threading.Thread(target=next, args=[takers[0]], daemon=True).start()
    with faster_than(1):
        assert take(takers[1]).args == ("next",)


def test_queues_with_a_backlog_share_one_thread(
    backend: DramatiqBackend, queue: str
) -> None:
    names = [queue, f"{queue}.other"]
    backend.publish([message("any", name) for name in names for _ in range(200)])
    served: list[str] = []

    def serve(name: str) -> None:
        taker = one_thread(backend, name)
        while len(served) < 200:
            if (taken := next(taker)) is not None:
                served.append(name)
                taker.ack(taken)

    threads = [threading.Thread(target=serve, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert min(map(served.count, names)) > 20
