"""A queue that takes in only so much."""

from typing import Any

import pytest
from django.db import transaction

from core import (
    InvalidOption,
    Message,
    OptionConflict,
    QueueFull,
    actor,
    brokers,
    group,
    pipeline,
    send_many,
)
from core.models import Run
from core.sending import backlog
from core.testing import rehearsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

MOST = 3


@actor(actor_name="test.pending.report", queue_name="reports", max_pending=MOST)
def report(number: int = 0) -> None: ...


@actor(actor_name="test.pending.urgent", queue_name="reports")
def urgent(number: int = 0) -> None: ...


@actor(
    actor_name="test.pending.patient",
    queue_name="patients",
    max_pending=MOST,
    overflow_queue="bulk",
)
def patient(number: int = 0) -> None: ...


@pytest.fixture(autouse=True)
def _nothing_starts() -> Any:
    """Begin with a process that knows nothing of the queue, and nobody who works."""
    brokers.forget("default")
    with rehearsing():
        yield
    brokers.forget("default")


@pytest.fixture
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the database at each send."""
    monkeypatch.setattr(backlog, "FRESH_SECONDS", 0.0)


def full() -> list[Message[Any]]:
    return [report.send(number) for number in range(MOST)]


def test_send_beyond_the_bound_is_refused_and_says_why() -> None:
    full()
    with pytest.raises(QueueFull) as error:
        report.send()
    assert str(error.value).startswith(
        "test.pending.report: about 3 runs of the queue 'reports' of 'default' wait"
    )
    assert Run.objects.count() == MOST


def test_own_sends_count_without_a_query(
    django_assert_num_queries: Any,
) -> None:
    report.send()
    with django_assert_num_queries(1):
        report.send()
    report.send()
    with django_assert_num_queries(0), pytest.raises(QueueFull):
        report.send()


@pytest.mark.usefixtures("_fresh")
def test_queue_has_room_again_once_one_has_started() -> None:
    first, *_ = full()
    Run.objects.filter(pk=first.message_id).update(state="running")
    assert report.send().status() == "pending"
    with pytest.raises(QueueFull):
        report.send()


@pytest.mark.usefixtures("_fresh")
def test_bound_counts_the_queue_and_holds_the_actor_alone() -> None:
    for number in range(MOST):
        urgent.send(number)
    with pytest.raises(QueueFull):
        report.send()
    assert urgent.send().status() == "pending"


@pytest.mark.usefixtures("_fresh")
def test_delayed_run_neither_counts_nor_is_refused() -> None:
    for _ in range(2 * MOST):
        report.using(delay=600_000).send()
    assert len(full()) == MOST


def test_many_messages_are_sent_together_or_not_at_all() -> None:
    with pytest.raises(QueueFull):
        send_many([report.message(number) for number in range(MOST + 1)])
    assert not Run.objects.exists()


@pytest.mark.parametrize("compose", [pipeline, group])
def test_composition_is_refused_as_a_whole(compose: Any) -> None:
    full()
    with pytest.raises(QueueFull):
        compose([report.message(), urgent.message()]).run()
    assert Run.objects.count() == MOST


def test_step_that_waits_for_another_is_no_backlog() -> None:
    full()
    pipeline([urgent.message(), report.using(pipe_ignore=True).message()]).run()


def test_refusal_leaves_the_callers_transaction_as_it_was() -> None:
    with transaction.atomic():
        full()
        with pytest.raises(QueueFull):
            report.send()
        urgent.send()
    assert Run.objects.count() == MOST + 1


@pytest.mark.usefixtures("_fresh")
def test_overflow_goes_to_the_other_queue_which_workers_serve() -> None:
    messages = [patient.send(number) for number in range(2 * MOST)]
    rows = [Run.objects.get(pk=message.message_id) for message in messages]
    assert [row.queue_name for row in rows] == ["patients"] * MOST + ["bulk"] * MOST
    assert {"patients", "bulk"} <= set(brokers["default"].queues())


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "7"])
def test_bound_that_is_no_number_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidOption, match="max_pending"):
        actor(max_pending=bad)(lambda: None)


def test_bound_needs_rows_and_an_overflow_needs_a_bound() -> None:
    with pytest.raises(OptionConflict, match="max_pending"):
        actor(max_pending=1, durable=False)(lambda: None)
    with pytest.raises(OptionConflict, match="overflow_queue"):
        actor(overflow_queue="bulk")(lambda: None)
