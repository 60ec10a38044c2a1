"""What the relay publishes, and what it leaves where it is."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings

from core import runs
from core.broker.broker import Broker
from core.broker.config import BrokerConfig
from core.models import Run, State
from core.relay.relay import Round
from core.wire.envelope import Envelope
from tests.core.one_queue import THREADS, make_worker
from tests.core.test_runs import make
from tests.services.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "default"
#: What the broker may be given at once.
BOUND = 2 * THREADS


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[Broker]:
    """An alias of its own, with the row of a worker that takes nothing."""
    alias = f"relaying-{uuid4().hex[:8]}"
    broker = Broker(BrokerConfig.read(alias, settings.BROKERS["dramatiq_valkey"]))
    make_worker(alias, alias)
    yield broker
    broker.backend.purge(broker.sender.physical(QUEUE))


def send(broker: Broker, number: int) -> list[Run]:
    return [make(broker=broker.alias) for _ in range(number)]


def test_messages_of_cancelled_runs_take_room_until_a_worker_drops_them(
    broker: Broker,
) -> None:
    first = send(broker, BOUND)
    assert broker.relay.relay(QUEUE).published == BOUND
    assert runs.cancel("default", [run.pk for run in first]) == BOUND
    send(broker, BOUND)
    assert broker.relay.relay(QUEUE) == Round(is_full=True, is_low=True)
    broker.backend.purge(broker.sender.physical(QUEUE))
    assert broker.relay.relay(QUEUE).published == BOUND


def test_operator_who_cancels_a_backlog_does_not_fill_the_broker(
    broker: Broker,
) -> None:
    send(broker, 20 * BOUND)
    while waiting := Run.objects.exclude(state=State.CANCELLED)[:BOUND]:
        broker.relay.round([])
        runs.cancel("default", [run.pk for run in waiting])
    assert broker.sender.depth(QUEUE) <= BOUND


def test_messages_without_a_row_take_no_room_of_those_that_have_one(
    broker: Broker,
) -> None:
    send(broker, 1)
    assert broker.relay.relay(QUEUE).published == 1
    direct = [Envelope(QUEUE, "test.actor", (), {}, {}) for _ in range(2 * BOUND)]
    broker.sender.send_direct(direct, [0] * len(direct))
    send(broker, 1)
    assert broker.relay.relay(QUEUE).published == 1
