"""Compositions at their limits: large ones, empty ones, wrong ones, raced ones."""

import threading
import time
from uuid import UUID

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from core import InvalidOption, OptionConflict, actor, group, pipeline, runs
from core.interface import results
from core.models import Batch, Run
from tests.services.threads import at_once
from tests.services.waiting import PATIENCE, in_time

pytestmark = pytest.mark.django_db(transaction=True)

LATER = {"delay": 3_600_000}


@actor(actor_name="test.compose.member")
def member(number: int) -> int:
    """Return its number."""
    return number


@actor(actor_name="test.compose.last")
def last(numbers: list[int]) -> None:
    """Take what the members returned."""


@actor(actor_name="test.compose.unique", unique_key=str)
def unique(number: int) -> None:
    """Be alone with a number."""


def due(run_id: str) -> bool:
    return Run.objects.get(pk=run_id).due_at < runs.NEVER


def settle(run_id: str, value: int = 0) -> None:
    """Do what a worker does, without one."""
    Run.objects.filter(pk=run_id).update(due_at="2020-01-01T00:00:00Z")
    run = runs.claim("default", UUID(run_id), "test")
    assert run is not None
    assert runs.succeed("default", run, runs.Returned(value)) is not None


def test_ten_thousand_members_enter_in_one_transaction_and_end_once() -> None:
    after = last.message()
    members = [member.message_with_options(args=[n], **LATER) for n in range(10_000)]
    with CaptureQueriesContext(connection) as queries:
        group(members).then(after, pass_results=True).run()
    assert len(queries) < 500  # SQLite takes 32 rows in one statement
    for number, message in enumerate(members[:-1]):
        settle(message.message_id, number)
    assert not due(after.message_id)
    settle(members[-1].message_id, 9_999)
    assert due(after.message_id)
    assert Run.objects.get(pk=after.message_id).piped == [list(range(10_000))]
    assert Batch.objects.get().remaining == 0


def test_members_that_end_at_the_same_time_let_the_last_word_go_once() -> None:
    after = last.message_with_options(args=[[]])
    members = [member.message_with_options(args=[n], **LATER) for n in range(16)]
    group(members).then(after).run()
    at_once(lambda n: settle(members[n].message_id), 16)
    assert due(after.message_id)
    assert Batch.objects.get().remaining == 0


def test_empty_group_ends_at_once() -> None:
    after = last.message_with_options(args=[[]])
    group([]).then(after).run()
    assert after.status() == "succeeded"


def test_results_of_an_empty_group_are_an_empty_list() -> None:
    assert group([]).run().get_result() == []


def test_empty_group_in_the_midst_of_a_pipeline_is_refused() -> None:
    with pytest.raises(ValueError, match="without members"):
        pipeline([member.message(1), group([])]).run()


def test_pipeline_without_a_message_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one message"):
        pipeline([])


def test_key_in_a_composition_is_refused() -> None:
    with pytest.raises(OptionConflict, match="another run may stand for it"):
        pipeline([unique.message(1), last.message()]).run()
    assert not Run.objects.exists()


def test_unknown_moment_of_a_callback_is_refused() -> None:
    with pytest.raises(InvalidOption, match="'success' or 'end'"):
        group([]).then(last.message(), on="failure")


def test_waiting_for_a_result_asks_at_most_five_times_a_second() -> None:
    message = member.send_with_options(args=[1], **LATER)
    with CaptureQueriesContext(connection) as queries:
        start = time.monotonic()
        with pytest.raises(results.ResultTimeout):
            message.get_result(block=True, timeout=2_000)
        took = time.monotonic() - start
    assert len(queries) <= 5 * took + 1


def test_result_older_than_its_ttl_is_missing() -> None:
    message = member.send_with_options(args=[1], **LATER)
    Run.objects.update(due_at="2020-01-01T00:00:00Z")
    run = runs.claim("default", UUID(message.message_id), "test")
    runs.succeed("default", run, runs.Returned(1, ttl=0))
    with pytest.raises(results.ResultMissing, match="older than its result_ttl"):
        message.get_result()


def test_result_is_returned_soon_after_it_is_stored() -> None:
    kept = actor(actor_name="test.compose.kept", store_results=True)(member.fn)
    message = kept.send_with_options(args=[7], **LATER)

    def finish() -> None:
        Run.objects.update(due_at="2020-01-01T00:00:00Z")
        run = runs.claim("default", UUID(message.message_id), "test")
        runs.succeed("default", run, runs.Returned(7, ttl=60_000))
        connections.close_all()

    thread = threading.Timer(0.3, finish)
    thread.start()
    start = time.monotonic()
    assert message.get_result(block=True, timeout=30_000) == 7
    in_time(time.monotonic() - start, 5 * PATIENCE, "the result")
    thread.join()
