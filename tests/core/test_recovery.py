"""Runs in trouble: none is lost, none loops, none starves its neighbours."""

import os
import signal
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from core import (
    InvalidArguments,
    InvalidOption,
    Retry,
    actor,
    brokers,
    current_run,
    monitoring,
    runs,
)
from core.models import Run, State
from core.options import Options
from core.processes.clock import Clock
from tests.core.test_runs import make

pytestmark = pytest.mark.django_db(transaction=True)


@actor(max_retries=1, min_backoff=3_600_000, atomic=True)
def settles_and_fails() -> None:
    """Settle inside, and roll everything back."""
    with current_run().atomic():
        pass
    raise ValueError("after all")


@actor(notify_shutdown=True)
def asks_its_process_to_stop() -> None:
    """Send the signal, and go on until told of it."""
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        time.sleep(0.01)


@actor
def settles_in_vain() -> None:
    """Settle inside a transaction of its own that is rolled back, and go on."""
    try:
        with transaction.atomic():
            with current_run().atomic():
                pass
            raise KeyError
    except KeyError:
        pass


@actor(max_retries=0)
def waits_for_ever() -> None:
    """Ask for a retry that no calendar holds."""
    raise Retry("later", delay=10**18)


def test_success_that_is_rolled_back_is_a_failure_and_waits_its_backoff() -> None:
    message = settles_and_fails.send()
    run = monitoring.run(message.message_id)
    assert (run.state, run.retries, run.error) == (
        "pending",
        1,
        "ValueError: after all",
    )
    assert run.due_at - run.created_at > timedelta(minutes=59)


def test_success_that_was_rolled_back_is_settled_at_the_end() -> None:
    assert settles_in_vain.send().status() == "succeeded"


def test_endless_delay_of_a_retry_ends_the_run() -> None:
    assert waits_for_ever.send().status() == "dead"


@pytest.mark.parametrize("option", [{"delay": 10**15}, {"eta": 10**18}])
def test_date_that_no_database_holds_is_refused(option: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        Options.check("send", option)


def test_arguments_nested_too_deep_are_refused_at_the_caller() -> None:
    nested: list[Any] = []
    for _ in range(200):
        nested = [nested]
    with pytest.raises(InvalidArguments, match="nested deeper than 100"):
        actor(actor_name="test.deep")(lambda value: None).send(nested)


def test_option_of_a_newer_release_waits_for_its_worker() -> None:
    message = settles_in_vain.send_with_options(delay=600_000)
    Run.objects.update(options={"time_machine": 3}, due_at=runs.later(-1))
    broker = brokers["default"]
    broker.deliver("default", broker.sender.signer.sign(message.message_id))
    run = monitoring.run(message.message_id)
    assert (run.state, run.attempts[0].outcome) == ("pending", "unknown")


def test_run_of_an_unknown_actor_is_tried_as_soon_as_somebody_knows_it() -> None:
    """It would sit out its pause after the restart that was to end it."""
    message, delayed = (settles_in_vain.send_with_options(delay=n) for n in (1, 10**9))
    Run.objects.filter(pk=message.message_id).update(
        actor_name="test.newer", due_at=runs.later(-1)
    )
    broker = brokers["default"]
    broker.deliver("default", broker.sender.signer.sign(message.message_id))
    assert runs.welcome("default", "default", ["test.other"]) == 0
    assert Run.objects.filter(due_at__gt=Now()).count() == 2
    assert runs.welcome("default", "default", ["test.newer"]) == 1
    (waits,) = Run.objects.filter(due_at__gt=Now())
    assert str(waits.pk) == delayed.message_id


def test_run_that_kills_its_process_again_waits_longer_and_is_given_up() -> None:
    first, again, last = make(), make(crashes=3), make(crashes=19)
    for run in (first, again, last):
        runs.claim("default", run.pk, "alone-gone")
    assert runs.rescue("default", "test") == 3
    assert runs.claim("default", first.pk, "among-others") is None
    assert runs.claim("default", first.pk, "alone-1")
    assert runs.claim("default", again.pk, "alone-1") is None
    assert Run.objects.get(pk=last.pk).state == State.DEAD


def test_new_send_does_not_overtake_a_more_urgent_backlog() -> None:
    make(priority=-50)
    assert runs.has_backlog("default", "test", "default", priority=0)
    assert not runs.has_backlog("default", "test", "default", priority=-51)
    assert not runs.has_backlog("default", "test", "other", priority=0)


def test_rescue_that_is_asked_for_during_another_one_is_not_forgotten() -> None:
    broker = brokers["default"]
    clock, run = Clock(broker, []), make(broker=broker.alias)
    asked: list[bool] = []

    def ask(execute: Any, *query: Any) -> Any:
        # As the supervisor does, from its own thread, when a worker dies just then.
        if not asked:
            asked.append(True)
            clock.rescue_now()
        return execute(*query)

    with connection.execute_wrapper(ask):
        clock.round()
    runs.claim("default", run.pk, "gone")
    clock.round()
    assert Run.objects.get(pk=run.pk).crashes == 1


def test_run_that_is_alone_is_told_when_its_process_is_to_stop() -> None:
    name = asks_its_process_to_stop.actor_name
    waiting = make(broker="default", crashes=1)
    Run.objects.filter(pk=waiting.pk).update(actor_name=name)
    brokers["default"].work_alone()
    run = Run.objects.get(pk=waiting.pk)
    assert (run.state, run.attempt) == (State.PENDING, 1)
    assert run.error.endswith("Shutdown")
