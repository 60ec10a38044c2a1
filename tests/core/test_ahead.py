"""How little a publisher asks, and that it publishes no more for it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import runs
from core.broker.broker import Broker
from core.broker.config import BrokerConfig
from core.models import Run, State
from core.relay import ahead, publisher
from core.relay.ahead import Ahead
from tests.core.one_queue import make_worker
from tests.core.test_runs import make
from tests.services.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "default"
#: What the broker may be given at once: the workers' pace, for five seconds.
BOUND, RATE = 40, 8.0


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[Broker]:
    """An alias of its own, with the row of a worker that takes nothing."""
    alias = f"ahead-{uuid4().hex[:8]}"
    broker = Broker(BrokerConfig.read(alias, settings.BROKERS["dramatiq_valkey"]))
    make_worker(alias, alias, rate=RATE)
    yield broker
    broker.backend.purge(broker.sender.physical(QUEUE))


@pytest.fixture
def ours(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """The publisher's part, which never asks because time goes by."""
    monkeypatch.setattr(ahead, "NOTED_SECONDS", 60.0)
    return Ahead(broker.capacity, broker.sender)


def send(broker: Broker, priority: int = 0) -> Run:
    """A run whose sender is about to publish it."""
    reserved = runs.later(60)
    return make(broker=broker.alias, priority=priority, relay_at=reserved)


def publish(ours: Ahead, rows: list[Run]) -> int:
    """Publish runs one by one, as their senders commit; return how many."""
    published = 0
    for row in rows:
        if ours.room(QUEUE, row.priority, 1):
            ours.publish([row])
            published += 1
    return published


def test_room_is_asked_for_once_for_many(broker: Broker, ours: Ahead) -> None:
    rows = [send(broker) for _ in range(BOUND // 2)]
    with CaptureQueriesContext(connection) as queries:
        assert publish(ours, rows) == BOUND // 2
    assert sum("COUNT" in query["sql"] for query in queries) == 1


def test_publisher_fills_the_room_and_no_more(broker: Broker, ours: Ahead) -> None:
    assert publish(ours, [send(broker) for _ in range(3 * BOUND)]) == BOUND
    assert broker.sender.depth(QUEUE) == BOUND
    ours.note()
    assert Run.objects.filter(state=State.QUEUED).count() == BOUND


def test_publisher_leaves_half_of_an_answer_to_others(
    broker: Broker, ours: Ahead
) -> None:
    other = Ahead(broker.capacity, broker.sender)
    for _ in range(3 * BOUND):
        publish(ours, [send(broker)])
        publish(other, [send(broker)])
    assert broker.sender.depth(QUEUE) < 1.5 * BOUND


def test_urgent_run_finds_room_beside_what_is_not_noted(
    broker: Broker, ours: Ahead
) -> None:
    publish(ours, [send(broker) for _ in range(BOUND)])
    assert publish(ours, [send(broker, priority=-100)]) == 1


def test_waiting_run_goes_before_a_new_one(broker: Broker, ours: Ahead) -> None:
    make(broker=broker.alias, priority=0)
    assert publish(ours, [send(broker)]) == 0
    assert publish(ours, [send(broker, priority=-1)]) == 1


def test_started_run_is_not_marked_as_published(broker: Broker, ours: Ahead) -> None:
    row = send(broker)
    publish(ours, [row])
    assert runs.claim("default", row.pk, broker.alias)
    ours.note()
    row.refresh_from_db()
    assert row.state == State.RUNNING


def test_publisher_notes_by_itself_what_it_has_published(broker: Broker) -> None:
    row = send(broker)
    publisher.put(broker.outbox.push, [row])
    publisher.flush(30)
    row.refresh_from_db()
    assert row.state == State.QUEUED


def test_published_runs_are_marked_before_the_rest_is_given_back(
    broker: Broker,
) -> None:
    publisher.flush(30)
    broker.outbox.push([send(broker) for _ in range(3 * BOUND)])
    noted = Run.objects.filter(broker=broker.alias, state=State.QUEUED)
    assert noted.count() == broker.sender.depth(QUEUE) == BOUND
