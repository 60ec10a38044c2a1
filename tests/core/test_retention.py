"""What ended long ago goes; what somebody may still ask for stays."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from core import BrokerConfigError, UnknownRun, actor, brokers, every, runs
from core.models import Attempt, Batch, Effect, Fire, Outcome, Parked, Run, Schedule
from core.options.retention import Keep, Retention
from core.processes.clock import Clock
from core.runs.retention import BATCH
from tests.core.test_runs import make
from tests.services.threads import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]

HOUR = 3600.0
#: Everything for an hour, however many.
AN_HOUR = Retention(*[Keep(HOUR)] * 6)


@actor(actor_name="test.retention.echo", max_retries=0, store_results=True)
def echo(value: str) -> str:
    return value


def make_ended(state: str = "succeeded", hours: float = 2, **more: Any) -> Run:
    """A run that ended so many hours ago."""
    return make(state=state, finished_at=runs.later(-hours * HOUR), **more)


def left() -> int:
    return Run.objects.count()


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled"])
def test_only_runs_past_their_age_are_deleted(state: str) -> None:
    make_ended(state)
    young, waiting = make_ended(state, hours=0.5), make()
    assert runs.prune("default", "test", AN_HOUR) == {state: 1}
    assert set(Run.objects.all()) == {young, waiting}


def test_each_state_is_kept_as_long_as_it_says() -> None:
    make_ended("succeeded")
    dead = make_ended("dead")
    assert runs.prune("default", "test", Retention(Keep(HOUR))) == {"succeeded": 1}
    assert list(Run.objects.all()) == [dead]


def test_oldest_runs_over_the_count_are_deleted() -> None:
    newest = [make_ended(hours=hours) for hours in (1, 2, 3)]
    for hours in (5, 4, 6):
        make_ended(hours=hours)
    keep = Retention(succeeded=Keep(count=3))
    assert runs.prune("default", "test", keep) == {"succeeded": 3}
    assert set(Run.objects.all()) == set(newest)
    assert runs.prune("default", "test", keep) == {}


def test_runs_kept_for_ever_are_not_deleted() -> None:
    make_ended(hours=10**5)
    assert runs.prune("default", "test", Retention(succeeded=Keep())) == {}


def test_attempts_go_with_their_run() -> None:
    dead, other = make_ended("dead"), make()
    for run in (dead, other):
        Attempt.objects.create(
            run=run,
            number=1,
            outcome=Outcome.FAILED,
            worker="w",
            started_at=Now(),
            finished_at=Now(),
            error="no",
        )
    runs.prune("default", "test", AN_HOUR)
    assert [one.run_id for one in Attempt.objects.all()] == [other.pk]


def test_only_a_batch_is_deleted_at_once() -> None:
    row = make_ended()
    more = [
        Run(pk=None, **{f: getattr(row, f) for f in ("broker", "actor_name", "state")})
        for _ in range(BATCH)
    ]
    for run in more:
        run.queue_name, run.created_at, run.due_at = "default", Now(), Now()
        run.finished_at = runs.later(-2 * HOUR)
    runs.insert("default", more)
    assert runs.prune("default", "test", AN_HOUR) == {"succeeded": BATCH}
    assert runs.prune("default", "test", AN_HOUR) == {"succeeded": 1}


def test_result_that_may_still_be_read_stays() -> None:
    run = make_ended(result=7, result_until=runs.later(60))
    make_ended(result=7, result_until=runs.later(-60))
    assert runs.prune("default", "test", AN_HOUR) == {"succeeded": 1}
    assert list(Run.objects.all()) == [run]


def test_run_that_something_waits_for_stays() -> None:
    first = make_ended("dead")
    make(after=first.pk, due_at=runs.NEVER, relay_at=None)
    assert runs.prune("default", "test", AN_HOUR) == {}


def test_member_of_an_open_group_stays_until_the_group_has_ended() -> None:
    group = Batch.objects.create(size=2, remaining=1, created_at=Now())
    make_ended(batch=group.pk)
    assert runs.prune("default", "test", AN_HOUR) == {}
    Batch.objects.update(remaining=0, finished_at=runs.later(-2 * HOUR))
    assert runs.prune("default", "test", AN_HOUR) == {"succeeded": 1, "groups": 1}
    assert not Batch.objects.exists()


def test_callers_key_outlives_its_run() -> None:
    first = echo.send_with_options(args=("a",), idempotency_key="k")
    Run.objects.update(
        state="succeeded", finished_at=runs.later(-2 * HOUR), result_until=None
    )
    assert runs.prune("default", "default", AN_HOUR) == {"succeeded": 1}
    again = echo.send_with_options(args=("a",), idempotency_key="k")
    assert again.message_id == first.message_id
    assert left() == 0
    with pytest.raises(UnknownRun):
        again.status()


def test_parked_bodies_and_settled_effects_go_too() -> None:
    for hours in (2, 0):
        Parked.objects.create(
            broker="test",
            queue="q",
            payload=b"",
            size=0,
            parked_at=runs.later(-hours * HOUR),
        )
    for key, state in (("old", "done"), ("unknown", "unknown")):
        Effect.objects.create(
            key=key,
            name="n",
            state=state,
            policy="ask",
            intended_at=Now(),
            settled_at=runs.later(-2 * HOUR),
        )
    assert runs.prune("default", "test", AN_HOUR) == {"parked": 1, "effects": 1}
    assert [effect.key for effect in Effect.objects.all()] == ["unknown"]


def test_many_at_once_delete_each_row_once() -> None:
    for _ in range(30):
        make_ended()
    counts = at_once(lambda _: runs.prune("default", "test", AN_HOUR), 4)
    assert sum(found.get("succeeded", 0) for found in counts) == 30
    assert left() == 0


def test_requeued_run_stays() -> None:
    run = make_ended("dead")
    assert runs.requeue("default", [run.pk]) == 1
    assert runs.prune("default", "test", AN_HOUR) == {}


def test_keeper_deletes_by_itself(settings: Any) -> None:
    make_ended(broker="default")
    config = {**settings.BROKERS["default"], "RETENTION": {"succeeded": {"age": HOUR}}}
    settings.BROKERS = {**settings.BROKERS, "default": config}
    brokers.forget("default")
    Clock(brokers["default"], ["default"]).round()
    assert left() == 0
    brokers.forget("default")


def told(*options: str) -> Any:
    out = StringIO()
    call_command("tasks", "prune", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_command_counts_before_it_deletes() -> None:
    for _ in range(2):
        make_ended(broker="default", hours=10**4)
    assert told("--dry-run")["succeeded"] == 2
    assert left() == 2
    assert told() == {"succeeded": 2}
    assert left() == 0


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        ({"succeded": {}}, "Did you mean 'succeeded'"),
        ({"dead": {"ages": 1}}, "Did you mean 'age'"),
        ({"dead": {"age": "7d"}}, "'7d'; it must be a timedelta, seconds"),
        ({"dead": {"age": -1}}, "age is -1"),
        ({"dead": {"count": 1.5}}, "count is 1.5; it must be a number of rows"),
        ({"dead": {"count": True}}, "count is True"),
        ({"dead": 7}, "dead is 7; it must be like"),
    ],
)
def test_wrong_setting_is_named(bad: Any, hint: str) -> None:
    with pytest.raises(BrokerConfigError, match="RETENTION") as caught:
        Retention.read("mine", bad)
    assert hint in str(caught.value)
    assert "BROKERS['mine']" in str(caught.value)


def test_age_may_be_a_timedelta() -> None:
    read = Retention.read("mine", {"dead": {"age": timedelta(days=1), "count": None}})
    assert read.dead == Keep(86_400.0)


def test_old_fires_are_deleted_unless_they_wait() -> None:
    schedule = Schedule(name="s", actor_name="a", trigger=every(hours=1).asdict())
    schedule.save()
    for state, age in (("fired", 2), ("skipped", 2), ("waiting", 2), ("fired", 0.5)):
        Fire.objects.create(
            schedule=schedule, state=state, decided_at=runs.later(-age * HOUR)
        )
    assert runs.prune("default", "test", Retention(fires=Keep(HOUR))) == {"fires": 2}
    left_over = Fire.objects.order_by("pk").values_list("state", flat=True)
    assert list(left_over) == ["waiting", "fired"]
