"""The database's own promises: many hands at once, on SQLite and on PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from core import actor, runs, send_many
from core.models import Attempt, Outcome, Run, State, Worker
from core.runs import Failure
from tests.services.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

FAILURE = Failure(Outcome.FAILED, "ValueError: no")


def make(**fields: Any) -> Run:
    run = Run(
        broker=fields.pop("broker", "test"),
        actor_name="test.actor",
        queue_name=fields.pop("queue_name", "default"),
        created_at=Now(),
        due_at=fields.pop("due_at", Now()),
        relay_at=fields.pop("relay_at", Now()),
        **fields,
    )
    runs.insert("default", [run])
    return run


def make_worker(name: str, seconds: float = 60) -> Worker:
    return Worker.objects.create(
        name=name,
        broker="test",
        engine="test",
        host="here",
        pid=1,
        threads=4,
        started_at=Now(),
        lease_until=runs.later(seconds),
    )


def state(run: Run) -> str:
    return Run.objects.get(pk=run.pk).state


def test_one_of_many_copies_wins_the_claim() -> None:
    run = make()
    claims = at_once(lambda n: runs.claim("default", run.pk, f"worker-{n}"))
    assert sum(claim is not None for claim in claims) == 1
    assert Run.objects.get(pk=run.pk).attempt == 1


def test_claim_returns_the_row_with_its_arguments() -> None:
    run = make(args=[1, "ü"], kwargs={"a": None})
    claimed = runs.claim("default", run.pk, "me")
    assert (claimed.args, claimed.kwargs, claimed.attempt) == ([1, "ü"], {"a": None}, 1)


def test_run_that_is_not_due_cannot_be_claimed() -> None:
    run = make(due_at=runs.later(60))
    assert runs.claim("default", run.pk, "me") is None


def test_unknown_run_cannot_be_claimed() -> None:
    assert runs.claim("default", uuid4(), "me") is None


def test_relays_at_once_never_reserve_the_same_run() -> None:
    made = {make().pk for _ in range(40)}
    taken = at_once(
        lambda n: runs.reserve("default", "test", "default", [(100, 5)], 60, {}), 8
    )
    ids = [run.pk for batch in taken for run in batch]
    assert (len(ids), set(ids)) == (40, made)


def test_reserved_run_comes_back_when_its_relay_died() -> None:
    make()
    assert len(runs.reserve("default", "test", "default", [(100, 5)], -1, {})) == 1
    assert len(runs.reserve("default", "test", "default", [(100, 5)], 60, {})) == 1
    assert len(runs.reserve("default", "test", "default", [(100, 5)], 60, {})) == 0


def test_most_urgent_run_is_relayed_first() -> None:
    for priority in (0, 10, -10, 5):
        make(priority=priority)
    (first,) = runs.reserve("default", "test", "default", [(100, 1)], 60, {})
    assert Run.objects.get(pk=first.pk).priority == -10


def test_replaced_attempt_cannot_settle() -> None:
    run = make()
    first = runs.claim("default", run.pk, "gone")
    assert runs.rescue("default", "test") == 1
    second = runs.claim("default", run.pk, "alone-alive")
    assert runs.succeed("default", first) is None
    assert not runs.bury("default", first, FAILURE)
    assert runs.succeed("default", second) is not None
    assert (state(run), second.attempt) == ("succeeded", 2)


def test_runs_of_a_living_worker_are_left_alone() -> None:
    make_worker("alive")
    make_worker("silent", seconds=-1)
    kept, lost = make(), make()
    runs.claim("default", kept.pk, "alive")
    runs.claim("default", lost.pk, "silent")
    assert runs.rescue("default", "test") == 1
    assert (state(kept), state(lost)) == ("running", "pending")
    assert Attempt.objects.get().outcome == "crashed"


def test_rescuers_at_once_count_a_crash_once() -> None:
    run = make()
    runs.claim("default", run.pk, "gone")
    assert sum(at_once(lambda n: runs.rescue("default", "test"), 8)) == 1
    assert Run.objects.get(pk=run.pk).crashes == 1


def test_run_whose_outcome_was_not_saved_is_released() -> None:
    make_worker("alive")
    forgotten, held = make(), make()
    runs.claim("default", forgotten.pk, "alive")
    runs.claim("default", held.pk, "alive")
    assert runs.send_back_left("default", "alive", lambda: [held.pk]) == 1
    assert (state(forgotten), state(held)) == ("pending", "running")


def test_run_that_is_claimed_while_the_rows_are_read_is_not_released() -> None:
    make_worker("alive")
    run = make()
    active: set[UUID] = set()

    def claim_first(execute: Any, *query: Any) -> Any:
        # As another thread of the process would, just before the rows are read.
        if run.pk not in active:
            active.add(run.pk)
            runs.claim("default", run.pk, "alive")
        return execute(*query)

    with connection.execute_wrapper(claim_first):
        assert runs.send_back_left("default", "alive", active.copy) == 0
    assert state(run) == "running"


def test_next_attempt_of_a_run_that_has_just_settled_is_not_released() -> None:
    make_worker("alive")
    run = make()
    claimed = runs.claim("default", run.pk, "alive")

    def settle_and_claim_again() -> list[UUID]:
        runs.retry("default", claimed, FAILURE, delay=-1)
        runs.claim("default", run.pk, "alive")
        return []

    assert runs.send_back_left("default", "alive", settle_and_claim_again) == 0
    assert state(run) == "running"


def test_late_mark_does_not_end_a_backoff() -> None:
    run = make()
    (reserved,) = runs.reserve("default", "test", "default", [(100, 1)], 60, {})
    claimed = runs.claim("default", run.pk, "me")
    runs.retry("default", claimed, FAILURE, delay=60)
    runs.mark("default", [reserved], lost=30)
    assert state(run) == "pending"
    assert runs.claim("default", run.pk, "me") is None


def test_published_run_that_nobody_started_is_taken_back() -> None:
    run = make()
    runs.mark("default", [run], lost=-1)
    assert state(run) == "queued"
    assert runs.forget("default", "test", "default", 10) == 1
    assert state(run) == "pending"


def test_run_that_has_started_is_asked_to_stop() -> None:
    run = make()
    runs.claim("default", run.pk, "me")
    assert runs.cancel("default", [run.pk]) == 1
    assert state(run) == "running"
    assert runs.to_interrupt("default", "me") == [run.pk]
    assert runs.cancel("default", [run.pk]) == 0


def test_run_that_was_to_stop_is_not_retried() -> None:
    run = runs.claim("default", make().pk, "me")
    runs.cancel("default", [run.pk])
    assert runs.retry("default", run, runs.Failure(Outcome.FAILED, "why"), 0)
    assert state(run) == "cancelled"


def test_run_that_was_to_stop_is_not_rescued() -> None:
    run = runs.claim("default", make().pk, "gone")
    runs.cancel("default", [run.pk])
    runs.rescue("default", "test")
    assert state(run) == "cancelled"


def test_requeue_gives_back_all_retries() -> None:
    run = make(retries=3, state=State.DEAD)
    assert runs.requeue("default", [run.pk]) == 1
    assert (state(run), Run.objects.get(pk=run.pk).retries) == ("pending", 0)


@actor(actor_name="test.runs.later", max_age=7_200_000)
def later() -> None: ...


@pytest.mark.parametrize("number", [1, 30])
def test_few_and_many_enter_at_the_time_of_the_database(number: int) -> None:
    before = runs.now("default")
    send_many(later.message_with_options(delay=60_000) for _ in range(number))
    after = runs.now("default")
    for run in Run.objects.all():
        assert before <= run.created_at <= after
        assert (run.due_at - run.created_at).total_seconds() == 60
        assert (run.expires_at - run.created_at).total_seconds() == 7200
    assert Run.objects.count() == number
