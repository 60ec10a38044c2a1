"""Limits that came or went with a release."""

import pytest

from core import actor, brokers, runs
from core.models import Run
from core.runs import Rule
from tests.core.test_runs import make

pytestmark = pytest.mark.django_db(transaction=True)


def limited(actor_name: str) -> Run:
    """A due run that was sent while its actor had a limit."""
    run = make(limit_key=actor_name)
    Run.objects.filter(pk=run.pk).update(actor_name=actor_name)
    return run


def reserve(room: int, **rules: Rule) -> list[Run]:
    return runs.reserve("default", "test", "default", [(100, room)], 5, rules)


@pytest.mark.parametrize("rules", [{}, {"another": Rule(1)}])
def test_run_sent_under_a_limit_that_is_gone_goes_out(rules: dict[str, Rule]) -> None:
    run = limited("freed")
    assert reserve(9, freed=Rule(), **rules) == [run]
    assert runs.claim("default", run.pk, "test")


@pytest.mark.parametrize("rules", [{}, {"another": Rule(1)}])
def test_limit_of_a_newer_release_is_left_alone_and_in_nobodys_way(
    rules: dict[str, Rule],
) -> None:
    limited("newer"), limited("newer")
    unlimited = make()
    assert reserve(2, **rules) == [unlimited]


def test_message_that_the_broker_lost_gives_its_place_back() -> None:
    run, rules = limited("paced"), {"paced": Rule(1)}
    assert reserve(9, **rules) == [run]
    runs.mark("default", [run], lost=0)
    assert reserve(9, **rules) == []
    assert runs.forget("default", "test", "default", 9) == 1
    assert reserve(9, **rules) == [run]


def test_message_that_the_broker_did_not_take_gives_its_place_back() -> None:
    run, rules = limited("paced"), {"paced": Rule(1)}
    assert reserve(9, **rules) == [run]
    runs.give_back("default", [run.pk], 0)
    assert reserve(9, **rules) == [run]


def test_broker_knows_of_every_actor_whether_it_has_a_limit() -> None:
    @actor(actor_name="test.limits.paced", rate_limit="2/m", concurrency=3)
    def paced() -> None:
        """Have limits."""

    @actor(actor_name="test.limits.free")
    def free() -> None:
        """Have none."""

    rules = brokers["default"].rules()
    assert rules[paced.actor_name] == Rule(3, 30)
    assert not rules[free.actor_name].is_limit
