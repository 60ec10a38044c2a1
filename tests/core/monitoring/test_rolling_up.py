"""What ended is counted once: by many at once, late, and after it has been deleted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.db.models import Sum

from core import brokers, control, runs
from core.models import RolledUp, Rollup
from core.models.rollup import SPANS
from core.options.retention import Keep, Retention
from core.processes.clock import Clock
from core.runs.tally import COUNTS
from core.testing import advance_time, drain, rehearsing
from tests.core.monitoring.figures import ALIAS, breaks, roll_up, tries, works
from tests.services.environment import on_postgres
from tests.services.threads import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


def counted(span: int = 60, **where: Any) -> dict[str, int]:
    """All that the rollups of one span hold."""
    found = Rollup.objects.filter(span=span, **where)
    sums = found.aggregate(**{name: Sum(name, default=0) for name in COUNTS})
    return {name: number for name, number in sums.items() if number}


def end_some() -> dict[str, int]:
    """End runs in every way; return how many of each."""
    for _ in range(3):
        works.send()
    breaks.send()
    tries.send()
    works.using(delay=timedelta(hours=9)).send().cancel()
    drain()
    return {"succeeded": 3, "dead": 2, "cancelled": 1, "failures": 3}


def test_every_end_is_counted_in_its_minute_hour_and_day() -> None:
    ended = end_some()
    roll_up()
    assert [counted(span) for span in SPANS] == [ended] * 3


def test_ended_runs_are_counted_by_queue_and_actor() -> None:
    end_some()
    roll_up()
    assert counted(actor_name=tries.actor_name) == {"dead": 1, "failures": 2}
    assert counted(queue_name="brittle") == {"dead": 2, "failures": 3}


def test_minute_that_goes_on_is_not_counted_yet() -> None:
    runs.roll_up("default", ALIAS)
    end_some()
    runs.roll_up("default", ALIAS)
    assert counted() == {}


def test_counting_again_adds_nothing() -> None:
    ended = end_some()
    for _ in range(3):
        roll_up()
    assert counted() == ended


def test_many_that_count_at_once_count_each_end_once() -> None:
    ended = end_some()
    advance_time(timedelta(minutes=2))
    at_once(lambda _: runs.roll_up("default", ALIAS), 8)
    while runs.roll_up("default", ALIAS):
        pass
    assert counted() == ended


def test_minutes_add_up_over_many_rounds() -> None:
    for _ in range(3):
        end_some()
        roll_up()
    assert [counted(span)["succeeded"] for span in SPANS] == [9] * 3


def test_old_ends_are_counted_in_batches() -> None:
    ended = end_some()
    roll_up(timedelta(hours=5))
    assert counted() == ended


def test_ends_of_another_alias_are_its_own() -> None:
    end_some()
    advance_time(timedelta(minutes=2))
    runs.roll_up("default", "another")
    assert counted() == {}


def test_times_are_counted_in_buckets() -> None:
    works.using(delay=timedelta(milliseconds=1)).send()
    drain()
    roll_up()
    row = Rollup.objects.get(span=60, actor_name=works.actor_name)
    assert sum(row.waiting.values()) == sum(row.running.values()) == 1


def test_runs_not_yet_counted_are_not_pruned() -> None:
    roll_up()
    end_some()
    nothing = Retention(*[Keep(0.0)] * 3)
    assert "succeeded" not in runs.prune("default", ALIAS, nothing)
    roll_up()
    assert runs.prune("default", ALIAS, nothing)["succeeded"] == 3
    assert counted()["succeeded"] == 3


def test_rollups_are_deleted_when_they_are_old() -> None:
    end_some()
    roll_up()
    keep = Retention(rollups=Keep(0.0))
    assert runs.prune("default", ALIAS, keep)["rollups"] == 3 * 3
    assert not Rollup.objects.filter(span__in=SPANS).exists()


def test_keeper_counts_by_itself() -> None:
    ended = end_some()
    advance_time(timedelta(minutes=2))
    Clock(brokers[ALIAS], ["default"]).round()
    assert counted() == ended


def test_run_that_ends_again_after_a_requeue_is_counted_again() -> None:
    message = breaks.send()
    drain()
    roll_up()
    control.requeue([message.message_id], by="a test")
    drain()
    roll_up()
    assert counted() == {"dead": 2, "failures": 2}


ON_POSTGRES = pytest.mark.skipif(
    not on_postgres(), reason="SQLite has one writer at a time"
)


@contextmanager
def open_transaction(step: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """Take a step in a transaction of another connection; give what commits it."""
    taken, commit = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                step()
                taken.set()
                assert commit.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()

    def end() -> None:
        commit.set()
        thread.join(30)

    try:
        assert taken.wait(30)
        yield end
    finally:
        end()


def succeed(run_id: str) -> None:
    run = runs.claim("default", UUID(run_id), "another")
    assert run is not None
    runs.succeed("default", run)


@ON_POSTGRES
def test_end_that_commits_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    message = works.send()
    runs.roll_up("default", ALIAS)
    # Minutes pass for whoever counts: what is open began before they ended.
    monkeypatch.setattr("core.runs.rollups.LAG", timedelta(minutes=-2))
    with open_transaction(lambda: succeed(message.message_id)) as commit:
        runs.roll_up("default", ALIAS)
        assert RolledUp.objects.get().until <= runs.now("default")
        commit()
        runs.roll_up("default", ALIAS)
    assert counted() == {"succeeded": 1}


@ON_POSTGRES
def test_second_count_at_once_does_nothing() -> None:
    runs.roll_up("default", ALIAS)
    end_some()
    advance_time(timedelta(minutes=2))
    with open_transaction(lambda: RolledUp.objects.select_for_update().get()) as end:
        assert not runs.roll_up("default", ALIAS)
        assert counted() == {}
        end()
    runs.roll_up("default", ALIAS)
    assert counted()["succeeded"] == 3
