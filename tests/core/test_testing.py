"""What a user's own tests may count on: unittest's way first, pytest's after it."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import TestCase

from core import ResultMissing, Secret, actor, current_run, group, pipeline, send_many
from core.models import Worker
from core.testing import TaskTestMixin, advance_time, drain, enqueued, perform

HOUR = timedelta(hours=1)


class Broken(Exception):
    """What an actor of these tests raises."""


@actor(actor_name="testing.note", store_results=True, result_ttl=60_000)
def note(name: Any, *, again: bool = False) -> list[str]:
    """Make a group of that name; send for another one if told to."""
    if again:
        note.send(f"{name} again")
    Group.objects.create(name=str(name))
    return [str(name), type(name).__name__]


@actor(actor_name="testing.threads", store_results=True, time_limit=1000)
def name_threads() -> list[str]:
    """Return the names of the threads beside this one."""
    return [thread.name for thread in threading.enumerate()]


@actor(actor_name="testing.break", max_retries=1, min_backoff=600_000)
def break_down() -> None:
    """Fail."""
    Group.objects.create(name=f"attempt {current_run().attempt}")
    raise Broken


@actor(actor_name="testing.direct", durable=False)
def note_directly(name: str) -> None:
    """Make a group of that name, without a row."""
    Group.objects.create(name=name)


@actor(actor_name="testing.paced", rate_limit="1/m")
def note_at_a_pace(name: str) -> None:
    """Make a group of that name, one a minute."""
    Group.objects.create(name=name)


@actor(actor_name="testing.twice", max_retries=0)
def note_twice(name: str) -> None:
    """Ask the database for what it refuses."""
    Group.objects.create(name=name)
    Group.objects.create(name=name)


@actor(actor_name="testing.async")
async def note_async(name: str) -> None:
    """Make a group of that name, from a coroutine."""
    await Group.objects.acreate(name=name)


@actor(actor_name="testing.settle", store_results=True)
def note_and_settle(name: str) -> str:
    """Settle inside, and leave something for the commit."""
    with current_run().atomic():
        transaction.on_commit(lambda: Group.objects.create(name=f"{name} committed"))
    return name


@actor(actor_name="testing.secret")
def note_secret(name: Secret[str]) -> None:
    """Make a group that nobody may know of."""


def noted() -> list[str]:
    return list(Group.objects.order_by("pk").values_list("name", flat=True))


class InATestCase(TaskTestMixin, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.early = note_directly.send("early")

    def test_message_of_the_class_waits_and_drain_performs_it(self) -> None:
        assert (noted(), self.early.status()) == ([], "pending")
        assert self.drain() == 1
        assert (noted(), self.early.status()) == (["early"], "succeeded")
        assert not Worker.objects.exists()

    def test_drain_goes_by_priority_and_performs_what_is_sent_meanwhile(self) -> None:
        note.send_with_options(args=["last"], priority=90)
        note.send("first", again=True)
        note.send("second")
        assert self.drain() == 5
        assert noted() == ["early", "first", "second", "first again", "last"]

    def test_drain_of_a_queue_leaves_the_others(self) -> None:
        note.send_with_options(args=["mail"], queue_name="email")
        assert self.drain(queue="email") == 1
        assert noted() == ["mail"]

    def test_no_thread_works_beside_a_body(self) -> None:
        before = [thread.name for thread in threading.enumerate()]
        message = name_threads.send()
        self.drain()
        assert message.get_result() == before

    def test_failure_waits_for_its_retry_and_then_is_dead(self) -> None:
        broken = break_down.send()
        self.drain()
        assert (broken.status(), self.drain()) == ("pending", 0)
        self.advance_time(HOUR)
        with pytest.raises(Broken):
            self.drain(raising=True)
        assert broken.status() == "dead"
        assert noted() == ["early", "attempt 1", "attempt 2"]

    def test_refusal_of_the_database_is_a_failure_of_the_body_alone(self) -> None:
        refused = note_twice.send("a")
        with pytest.raises(IntegrityError):
            self.perform(refused, raising=True)
        assert (noted(), refused.status()) == ([], "dead")

    def test_coroutine_sees_what_the_test_has_not_committed(self) -> None:
        assert self.perform(note_async.send("a")) == "succeeded"
        assert noted() == ["a"]

    def test_on_commit_of_a_body_runs(self) -> None:
        settled = note_and_settle.send("a")
        self.perform(settled, raising=True)
        assert (noted(), settled.get_result()) == (["a committed"], "a")

    def test_steps_and_groups_follow_one_another(self) -> None:
        members = group([note.message("x"), note.message("y")])
        pipeline([members, note.message()]).run()
        assert self.drain(raising=True) == 4
        assert noted()[-1] == "[['x', 'str'], ['y', 'str']]"

    def test_arguments_come_out_of_json(self) -> None:
        message = note.send((1, 2))
        self.drain()
        assert message.get_result() == ["[1, 2]", "list"]

    def test_perform_takes_one_message_whatever_its_due_time(self) -> None:
        later = note.send_with_options(args=["later"], delay=HOUR)
        assert self.perform(later) == "succeeded"
        assert self.perform(later) == "succeeded"
        assert noted() == ["later"]

    def test_assert_enqueued_tells_what_is_there(self) -> None:
        note.send_with_options(args=[(1, 2)], kwargs={"again": True}, priority=7)
        self.assertEnqueued(note)
        self.assertEnqueued(note, (([1, 2]),), {"again": True}, 1, priority=7)
        self.assertNotEnqueued(note, [3])
        self.assertNotEnqueued(note, priority=8)
        self.assertNotEnqueued(break_down)
        with pytest.raises(
            AssertionError, match=r"testing\.direct\('early'\) in queue"
        ):
            self.assertEnqueued(note, [3])
        with pytest.raises(AssertionError, match="2 expected, 1 found"):
            self.assertEnqueued(note, count=2)
        with pytest.raises(AssertionError, match="none expected, 2 found"):
            self.assertNotEnqueued()

    def test_secret_argument_is_found_by_what_it_was(self) -> None:
        note_secret.send("hush")
        self.assertEnqueued(note_secret, ["hush"])
        self.assertNotEnqueued(note_secret, ["louder"])

    def test_enqueued_gives_the_oldest_first_and_refuses_unknown_filters(self) -> None:
        send_many([note.message(n) for n in range(20)])
        assert [m.args[0] for m in self.enqueued(note)] == list(range(20))
        with pytest.raises(TypeError, match="queue_name"):
            self.enqueued(note, queue="email")


class TimePasses(TaskTestMixin, TestCase):
    def test_delay_is_over_and_a_step_counts_from_its_release(self) -> None:
        late = note.send_with_options(args=["late"], delay=HOUR)
        pipeline([note.message("a"), note.message()]).run(delay=2 * HOUR)
        self.advance_time(HOUR)
        assert (self.drain(), late.status()) == (1, "succeeded")
        self.advance_time(HOUR)
        assert self.drain() == 2

    def test_step_that_waits_for_another_one_keeps_its_hour_of_day(self) -> None:
        last = note.message_with_options(eta=datetime.now(UTC) + HOUR)
        pipeline([note.message("a"), last]).run()
        self.advance_time(HOUR)
        assert self.drain() == 2

    def test_message_grows_too_old_and_a_result_too(self) -> None:
        old = note.send_with_options(args=["old"], max_age=HOUR)
        read = note.send("read")
        self.perform(read)
        assert read.get_result() == ["read", "str"]
        self.advance_time(HOUR)
        self.drain()
        assert old.status() == "dead"
        with pytest.raises(ResultMissing):
            read.get_result()

    def test_rate_limit_lets_the_next_one_go_in_time(self) -> None:
        for name in "abc":
            note_at_a_pace.send(name)
        assert self.drain() == 1
        self.advance_time(timedelta(minutes=1))
        assert self.drain() == 1
        assert noted() == ["a", "b"]

    def test_key_is_forgotten_after_30_days(self) -> None:
        send = lambda: note.send_with_options(args=["a"], idempotency_key="k")  # noqa: E731  # the same send, twice
        first = send()
        self.advance_time(timedelta(days=29))
        assert send().message_id == first.message_id
        self.advance_time(timedelta(days=2))
        assert send().message_id != first.message_id


@pytest.mark.django_db
def test_plain_functions_do_the_same_without_a_class() -> None:
    message = note.send_with_options(args=["a"], delay=HOUR)
    assert [m.message_id for m in enqueued(note)] == [message.message_id]
    assert drain() == 0
    advance_time(HOUR)
    assert (drain(), perform(message)) == (1, "succeeded")
