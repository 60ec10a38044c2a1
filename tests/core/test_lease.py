"""A process's right to speak for its runs, over its own troubles."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection

from core.broker import Broker
from core.models import Worker
from tests.services.waiting import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker(
        f"lease-{uuid4().hex[:6]}",
        {
            "BACKEND": "backends.inprocess.InProcessBackend",
            "TIMING": {"heartbeat": 0.1, "lease": 2},
        },
    )
    yield broker
    broker.worker_stopped()


@contextmanager
def without_workers() -> Iterator[None]:
    """Make every statement about workers fail."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_worker RENAME TO core_worker_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_worker_away RENAME TO core_worker")


def names(broker: Broker) -> set[str]:
    return {worker.name for worker in Worker.alive("default", broker.alias)}


def test_worker_that_boots_without_its_database_registers_later(broker: Broker) -> None:
    with without_workers():
        broker.worker_started(4)
    wait_for(lambda: names(broker))
    assert Worker.objects.get(broker=broker.alias).slots == 4


def test_worker_whose_row_is_gone_comes_back_under_another_name(broker: Broker) -> None:
    broker.worker_started(4)
    first = names(broker)
    Worker.objects.filter(broker=broker.alias).delete()
    wait_for(lambda: names(broker))
    assert names(broker).isdisjoint(first)


def test_living_worker_keeps_its_lease(broker: Broker) -> None:
    broker.worker_started(4)
    until = Worker.objects.get(broker=broker.alias).lease_until
    wait_for(lambda: Worker.objects.get(broker=broker.alias).lease_until > until)
    assert len(names(broker)) == 1


def test_worker_that_stops_signs_off_at_once(broker: Broker) -> None:
    broker.worker_started(4)
    broker.worker_stopped()
    assert not Worker.objects.filter(broker=broker.alias).exists()
