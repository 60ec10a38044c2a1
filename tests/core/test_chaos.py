"""The verdict of `manage.py tasks chaos`, and what the command refuses to hurt."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import actor, brokers
from core.chaos.faults import must_not_freeze, must_not_purge
from core.chaos.producer import Producer, Told
from core.chaos.proof import PASSED, FaultLine, Found, Proof, judge
from core.chaos.stage import Stage
from core.models import CanaryMark, Run
from core.tasks import canary
from core.testing import advance_time, drain

TOKEN = "5a5a5a5a-0000-4000-8000-000000000000"


def found(**sets: set[int]) -> Found:
    names = ("once", "lost", "twice", "given_up", "open", "ghosts")
    return Found(**{name: frozenset(sets.get(name, set())) for name in names})


@pytest.mark.parametrize(
    ("told", "states", "marks", "expected"),
    [
        (Told(sent={1}), {1: "succeeded"}, {1: 1}, found(once={1})),
        (Told(sent={1}), {}, {1: 1}, found(once={1})),  # pruned meanwhile
        (Told(sent={1}), {1: "succeeded"}, {}, found(lost={1})),
        (Told(sent={1}), {}, {}, found(lost={1})),
        (Told(sent={1}), {1: "succeeded"}, {1: 2}, found(twice={1})),
        (Told(sent={1}), {1: "dead"}, {}, found(given_up={1})),
        (Told(sent={1}), {1: "cancelled"}, {}, found(given_up={1})),
        (Told(sent={1}), {1: "queued"}, {}, found(open={1})),
        (Told(undone={1}), {}, {}, found()),
        (Told(undone={1}), {1: "pending"}, {}, found(ghosts={1})),
        (Told(undone={1}), {}, {1: 1}, found(ghosts={1})),
        (Told(), {}, {7: 1}, found(ghosts={7})),
        (Told(unsure={1}), {}, {}, found()),
        (Told(unsure={1}), {1: "succeeded"}, {1: 1}, found(once={1})),
        (Told(unsure={1}), {1: "succeeded"}, {}, found(lost={1})),
        (Told(unsure={1}), {}, {1: 1}, found(ghosts={1})),
    ],
)
def test_every_canary_is_judged_by_its_run_and_its_marks(
    told: Told, states: dict[int, str], marks: dict[int, int], expected: Found
) -> None:
    assert judge(told, states, marks) == expected


def proof(done: int = 1, troubles: tuple[str, ...] = (), **sets: set[int]) -> Proof:
    line = FaultLine("F1", "kill", "in hand", done=done, not_done_because="nobody")
    told = Told(sent={1, 2}, durations=[0.001, 0.004])
    ids = {1: "first-id", 2: "second-id"}
    return Proof(told, found(**sets), ids, [line], Counter(), 9, list(troubles))


def test_verdict_is_good_when_every_effect_is_there_once() -> None:
    good = proof(once={1, 2})
    assert good.problems == []
    assert good.lines()[-1] == PASSED == "Nothing lost, nothing twice."
    assert good.figures()["sent"] == good.figures()["effects_exactly_once"] == 2
    assert good.figures()["slowest_send_ms"] == 4


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (proof(lost={1}), "1 lost (first-id)"),
        (proof(twice={2}), "1 twice (second-id)"),
        (proof(given_up={1, 2}), "2 given up (first-id, second-id)"),
        (proof(open={1}), "1 still open after 9 s (first-id)"),
        (proof(ghosts={3}), "1 of what was rolled back (number 3)"),
        (proof(done=0), "no fault was done"),
        (proof(troubles=("process 4 was not replaced",)), "process 4 was not replaced"),
    ],
)
def test_verdict_names_what_is_wrong(bad: Proof, complaint: str) -> None:
    assert bad.lines()[-1] == f"FAILED: {complaint}."
    assert bad.asdict()["problems"] == [complaint]


def test_fault_that_was_not_done_is_listed_with_its_reason() -> None:
    assert "F1 was not done: nobody." in proof(done=0).lines()


def chaos(*arguments: str) -> str:
    out = StringIO()
    call_command("tasks", "chaos", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_chaos_refuses_to_run_outside_staging(settings: Any) -> None:
    with pytest.raises(CommandError, match="--yes-this-is-staging"):
        chaos("--minutes", "0.01")
    settings.DEBUG = True
    with pytest.raises(CommandError, match="No worker of broker 'default' serves"):
        chaos("--minutes", "0.01")
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_plan_says_what_cannot_be_done() -> None:
    told = chaos("--dry-run")
    assert "queue to purge" in told
    assert "F1   not done: no process of `manage.py worker`" in told


@pytest.mark.django_db
def test_queue_with_direct_messages_is_purged_only_when_asked() -> None:
    @actor(actor_name="chaos.direct", queue_name="fragile", durable=False)
    def direct() -> None:
        """Be known to the broker alone."""

    assert "lose direct messages of chaos.direct" in must_not_purge(
        Stage("default", "fragile")
    )
    assert not must_not_purge(Stage("default", "fragile", lose_direct=True))
    assert not must_not_purge(Stage("default", "of canaries"))


@pytest.mark.django_db
def test_no_process_is_frozen_where_it_would_hold_the_only_lock() -> None:
    assert "SQLite" in must_not_freeze(Stage("default", "default"))


@pytest.mark.django_db
def test_canary_that_fails_leaves_nothing_until_its_retry() -> None:
    canary.send(token=TOKEN, number=1, fail=True)
    drain()
    assert not CanaryMark.objects.exists()
    advance_time(60_000)
    drain()
    assert CanaryMark.objects.get().attempt == 2


@pytest.mark.django_db
def test_sender_notes_what_was_committed_and_what_was_not(sent: list[Any]) -> None:
    stage = Stage("default", "default")
    producer = Producer(brokers["default"], "default", stage.token, rate=1)
    producer.burst(2)
    producer._send(regret=True)
    assert (producer.told.sent, producer.told.undone) == ({0, 1}, {2})
    assert not producer.told.unsure
    assert len(producer.told.durations) == 2
    kept = Run.objects.filter(kwargs__token=str(stage.token))
    assert sorted(run.kwargs["number"] for run in kept) == [0, 1]
