"""Who works, what waits, and which broker answers."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import psutil
import pytest

from core import actor, brokers, current_run, monitoring, runs
from core.models import Worker
from core.monitoring.probing import DEADLINE, ask
from core.testing import advance_time, drain, rehearsing
from tests.core.monitoring.figures import ALIAS, breaks, roll_up
from tests.services.waiting import PATIENCE, in_time

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


def queue(name: str) -> monitoring.QueueSnapshot:
    (found,) = [one for one in monitoring.queues(ALIAS) if one.name == name]
    return found


def test_queue_counts_what_waits_and_what_is_due() -> None:
    for _ in range(3):
        breaks.send()
    breaks.using(delay=timedelta(hours=1)).send()
    found = queue("brittle")
    assert (found.pending, found.due, found.queued, found.running) == (4, 3, 0, 0)


def test_queue_counts_what_is_published_and_what_runs() -> None:
    first, second = breaks.send(), breaks.send()
    rows = [brokers.find(one.message_id) for one in (first, second)]
    runs.mark("default", rows, 60)
    runs.claim("default", UUID(first.message_id), "a worker")
    found = queue("brittle")
    assert (found.pending, found.queued, found.running) == (0, 1, 1)


def test_queue_tells_since_when_the_oldest_waits() -> None:
    assert queue("brittle").oldest_wait is None
    breaks.send()
    advance_time(timedelta(seconds=90))
    breaks.send()
    breaks.using(delay=timedelta(hours=1)).send()
    oldest = queue("brittle").oldest_wait
    assert oldest is not None
    assert 90 <= oldest < 120


def test_queue_tells_its_pace_once_it_has_been_counted() -> None:
    assert queue("brittle").throughput is None
    for _ in range(3):
        breaks.send()
    drain()
    roll_up()
    found = queue("brittle")
    assert found.throughput == pytest.approx(3 / 300)
    assert found.failure_rate == 1.0
    assert (queue("default").throughput, queue("default").failure_rate) == (0.0, None)


def test_queue_tells_the_depth_at_its_broker() -> None:
    assert queue("brittle").depth == 0
    assert monitoring.queues(ALIAS, depths=False)[0].depth is None


@pytest.mark.usefixtures("_away")
def test_broker_that_is_away_leaves_depths_out_and_tells_the_rest() -> None:
    breaks.send_with_options(broker="down")
    start = time.monotonic()
    found = {(one.broker, one.name): one for one in monitoring.queues()}
    in_time(time.monotonic() - start, 2 * DEADLINE * PATIENCE, "an answer")
    assert found[("down", "brittle")].depth is None
    assert found[("down", "brittle")].pending == 1
    assert found[(ALIAS, "brittle")].depth == 0


@pytest.mark.usefixtures("_away")
def test_broker_that_is_down_is_listed_as_down() -> None:
    start = time.monotonic()
    found = {one.alias: one for one in monitoring.brokers()}
    in_time(time.monotonic() - start, 2 * DEADLINE * PATIENCE, "an answer")
    assert {alias: one.up for alias, one in found.items()} == {
        "default": True,
        "down": False,
        "silent": False,
    }
    assert "refused" in found["down"].error
    assert found["silent"].error == "no answer within 1 s"
    assert found["down"].latency is None
    assert found["default"].latency is not None
    assert (found["down"].engine, found["down"].version[:2]) == ("celery", "5.")


def test_question_that_hangs_is_not_asked_again_meanwhile() -> None:
    asked: list[int] = []
    over = threading.Event()

    def hang() -> None:
        asked.append(1)
        over.wait(60)

    for _ in range(3):
        assert ask({"test.hang": hang}, 0.01) == {}
    over.set()
    assert len(asked) == 1


def worker() -> monitoring.WorkerSnapshot:
    (found,) = monitoring.workers(ALIAS)
    return found


@pytest.mark.usefixtures("_worker")
def test_worker_snapshot_says_who_and_where_it_is() -> None:
    found = worker()
    assert (found.alive, found.host, found.pid) == (
        True,
        socket.gethostname(),
        os.getpid(),
    )
    assert (found.threads, found.engine, found.running) == (4, "inprocess", ())
    assert found.rss == pytest.approx(psutil.Process().memory_info().rss, rel=0.5)
    assert abs(found.last_beat - found.started_at) < timedelta(seconds=30)


@pytest.mark.usefixtures("_worker")
def test_silent_worker_is_shown_as_dead() -> None:
    Worker.objects.update(lease_until=runs.later(-1))
    assert not worker().alive


@actor(actor_name="test.monitoring.looks_on")
def looks_on() -> None:
    """See itself run."""
    run = current_run()
    assert run is not None
    run.progress(1, 3, "on its way")
    running = [one for found in monitoring.workers() for one in found.running]
    (mine,) = [one for one in running if one.id == run.id]
    assert (mine.actor_name, mine.attempt) == (run.actor_name, 1)
    assert mine.progress == [1, 3, "on its way"]
    assert 0 <= mine.seconds < 60


def test_worker_snapshot_says_what_it_runs_and_for_how_long() -> None:
    message = looks_on.send()
    drain(raising=True)
    assert message.status() == "succeeded"
