"""Limits that came or went with a release."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from core import actor, brokers, runs
from core.models import Limit, Run
from core.runs import LimitRule
from tests.core.test_runs import make
from tests.services.waiting import PATIENCE, in_time

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def limited(actor_name: str) -> Run:
    """A due run that was sent while its actor had a limit."""
    run = make(limit_key=actor_name)
    Run.objects.filter(pk=run.pk).update(actor_name=actor_name)
    return run


def reserve(room: int, **rules: LimitRule) -> list[Run]:
    return runs.reserve("default", "test", "default", [(100, room)], 5, rules)


@pytest.mark.parametrize("rules", [{}, {"another": LimitRule(1)}])
def test_run_sent_under_a_limit_that_is_gone_goes_out(
    rules: dict[str, LimitRule],
) -> None:
    run = limited("freed")
    assert reserve(9, freed=LimitRule(), **rules) == [run]
    assert runs.claim("default", run.pk, "test")


@pytest.mark.parametrize("rules", [{}, {"another": LimitRule(1)}])
def test_limit_of_a_newer_release_blocks_nothing(
    rules: dict[str, LimitRule],
) -> None:
    limited("newer"), limited("newer")
    unlimited = make()
    assert reserve(2, **rules) == [unlimited]


def test_message_that_the_broker_lost_gives_its_place_back() -> None:
    run, rules = limited("paced"), {"paced": LimitRule(1)}
    assert reserve(9, **rules) == [run]
    runs.mark("default", [run], lost=0)
    assert reserve(9, **rules) == []
    assert runs.forget("default", "test", "default", 9) == 1
    assert reserve(9, **rules) == [run]


def test_message_that_the_broker_did_not_take_gives_its_place_back() -> None:
    run, rules = limited("paced"), {"paced": LimitRule(1)}
    assert reserve(9, **rules) == [run]
    runs.give_back("default", [run.pk], 0)
    assert reserve(9, **rules) == [run]


#: Of an actor that each user may start once a day; a statement takes fewer values.
SPENT = """
    INSERT INTO core_limit (key, interval, next_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 260000)
    SELECT 'daily:' || i, 86400, %s FROM n
"""


def test_any_number_of_keys_may_have_had_their_start() -> None:
    with connection.cursor() as cursor:
        cursor.execute(SPENT, [datetime.now(UTC) + timedelta(days=1)])
    spent, free = make(limit_key="daily:7"), make(limit_key="daily:0")
    Run.objects.update(actor_name="daily")
    start = time.monotonic()
    assert reserve(9, daily=LimitRule(None, 86400)) == [free]
    in_time(time.monotonic() - start, 0.2 * PATIENCE, "a look of the relay")
    assert reserve(9, daily=LimitRule(None, 86400)) == []
    Limit.objects.filter(key=spent.limit_key).update(next_at=Now())
    assert reserve(9, daily=LimitRule(None, 86400)) == [spent]


def test_key_at_its_limit_waits_until_one_is_given_back() -> None:
    first, second, third = (limited("paced") for _ in range(3))
    rules = {"paced": LimitRule(2)}
    assert reserve(9, **rules) == [first, second]
    assert reserve(9, **rules) == []
    runs.give_back("default", [first.pk], 60)
    assert reserve(9, **rules) == [third]


def test_broker_knows_of_every_actor_whether_it_has_a_limit() -> None:
    @actor(actor_name="test.limits.paced", rate_limit="2/m", concurrency=3)
    def paced() -> None:
        """Have limits."""

    @actor(actor_name="test.limits.free")
    def free() -> None:
        """Have none."""

    rules = brokers["default"].resolver.rules()
    assert rules[paced.actor_name] == LimitRule(3, 30)
    assert not rules[free.actor_name].is_limit
