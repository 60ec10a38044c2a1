"""How a run is written, and by whom it is then published."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import brokers
from core.interface.actors import actor
from core.models import Run
from core.relay import publisher
from core.runs.insertion import write
from tests.services.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ALIAS = "dramatiq_valkey"
THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
#: Of each kind of column something that its default is not.
TOLD: dict[str, Any] = {
    "priority": -3,
    "args": [1, "two", None],
    "kwargs": {"x": {"y": [1.5]}},
    "options": {"max_retries": 3},
    "state": "running",
    "attempt": 2,
    "expires_at": THEN,
    "routed": False,
    "unique_key": "k",
    "unique_running": True,
    "piped": ["é"],
    "batch": uuid.UUID(int=7),
    "position": 4,
    "followed": True,
}


@actor(queue_name="crowd")
def crowded() -> None:
    """Sent where no worker takes anything."""


@pytest.fixture
def alias() -> Iterator[str]:
    brokers.forget(ALIAS)
    yield ALIAS
    brokers.forget(ALIAS)


def make(**told: Any) -> Run:
    return Run(
        broker="default",
        actor_name="a",
        queue_name="q",
        created_at=THEN,
        due_at=THEN,
        **told,
    )


def columns(run: Run) -> dict[str, Any]:
    return {f.attname: getattr(run, f.attname) for f in Run._meta.concrete_fields}


@pytest.mark.database
@pytest.mark.parametrize("told", [{}, TOLD])
def test_row_is_read_as_it_was_given(told: dict[str, Any]) -> None:
    run = make(**told)
    write("default", run)
    assert columns(Run.objects.get(pk=run.pk)) == columns(run)
    assert not run._state.adding


@pytest.mark.database
def test_transaction_of_a_row_that_is_there_already_is_not_gone_on_with() -> None:
    run = make()
    write("default", run)
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            write("default", run)
        assert connection.needs_rollback


def test_send_to_a_full_queue_is_left_to_the_relay_at_once(alias: str) -> None:
    capacity = brokers[alias].capacity
    assert sent_within_a_transaction(alias) == brokers[alias].timing.grace
    publisher.flush(30)
    assert capacity.is_crowded("crowd"), "no worker has room"
    with CaptureQueriesContext(connection) as asked:
        message = crowded.send_with_options(broker=alias)
    assert len(asked) == 1
    assert wait_of(message.message_id) == 0
    wait_for(lambda: not capacity.is_crowded("crowd"))
    assert sent_within_a_transaction(alias) == brokers[alias].timing.grace


def sent_within_a_transaction(alias: str) -> float:
    """Send, and return for how long the relay is to let it be."""
    with transaction.atomic():
        return wait_of(crowded.send_with_options(broker=alias).message_id)


def wait_of(run_id: str) -> float:
    run = Run.objects.get(pk=run_id)
    assert run.relay_at is not None
    return round((run.relay_at - run.due_at).total_seconds(), 2)
