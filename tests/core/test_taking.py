"""Which runs a worker takes from the table while the broker is away."""

from typing import Any
from uuid import UUID

import pytest

from core import runs
from core.models import Pause, Run
from core.runs import LimitRule
from tests.core.test_runs import make, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NONE: dict[str, LimitRule] = {"test.actor": LimitRule()}


def take(
    number: int = 10, rules: dict[str, LimitRule] = NONE, **other: Any
) -> list[UUID]:
    return runs.take("default", "test", "default", number, 5, rules, **other)


def published(**fields: Any) -> Run:
    run = make(**fields)
    runs.mark("default", [run], lost=20)
    return run


def test_most_urgent_runs_are_taken_first() -> None:
    made = {
        "last": make(priority=10),
        "second": published(priority=-5),
        "first": make(priority=-10),
        "third": published(priority=0),
    }
    expected = [made[name].pk for name in ("first", "second", "third", "last")]
    assert take(3) == expected[:3]
    assert take() == expected[3:]


def test_taken_run_is_taken_once_and_can_be_claimed() -> None:
    ids = {make().pk, published().pk}
    assert set(take()) == ids
    assert take() == []
    assert not runs.reserve("default", "test", "default", [(100, 10)], 5, NONE)
    for run_id in ids:
        assert runs.claim("default", run_id, "me")


@pytest.mark.parametrize(
    "fields",
    [
        {"due_at": runs.later(60)},
        {"relay_at": runs.later(60)},
        {"crashes": 1},
        {"routed": False},
        {"queue_name": "other"},
        {"broker": "other"},
    ],
)
def test_run_that_may_not_start_is_not_taken(fields: dict[str, Any]) -> None:
    make(**fields)
    assert take() == []


@pytest.mark.parametrize("maker", [make, published])
def test_nothing_of_a_paused_queue_is_taken(maker: Any) -> None:
    maker()
    Pause.objects.create(broker="test", queue_name="default", by="ann")
    assert take() == []


def test_limit_grants_as_many_without_a_broker() -> None:
    rules = {"test.actor": LimitRule(size=2)}
    for _ in range(4):
        make(limit_key="test.actor")
    first = take(rules=rules)
    assert len(first) == 2
    assert take(rules=rules) == []
    for run_id in first:
        run = runs.claim("default", run_id, "me")
        assert run is not None
        runs.succeed("default", run)
    assert len(take(rules=rules)) == 2


def test_runs_taken_by_a_dead_process_return() -> None:
    run, other = make(), published()
    take()
    Run.objects.filter(pk=run.pk).update(relay_at=runs.later(-1))
    Run.objects.filter(pk=other.pk).update(relay_at=runs.later(-1))
    assert runs.forget("default", "test", "default", 10) == 1
    assert state(other) == "pending"
    assert set(take()) == {run.pk, other.pk}
