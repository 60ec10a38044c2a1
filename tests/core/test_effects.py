"""Effects outside the database: done once, or known to be unknown."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from core import (
    EffectBusy,
    EffectUnknown,
    LeaseLost,
    control,
    current_run,
    effect,
    monitoring,
    runs,
)
from core.models import Effect, Run
from core.options import Options
from core.wire.intent import Intent
from core.worker.current import Attempt, CurrentRun, performing
from core.worker.verdict import wait
from tests.core.test_runs import make, make_worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


class Refused(Exception):
    """The other side says that it did nothing."""


class Outside:
    """The world outside: notes what happened, under which key."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.trouble: BaseException | None = None

    def happen(self, key: str) -> str:
        self.seen.append(key)
        if self.trouble is not None:
            raise self.trouble
        return f"receipt {len(self.seen)}"


@pytest.fixture
def outside() -> Outside:
    return Outside()


@contextmanager
def attempt_of(run: Run) -> Iterator[None]:
    """Be the body of the run's next attempt."""
    claimed = runs.claim("default", run.pk, "worker")
    assert claimed is not None
    about = Attempt(str(run.pk), claimed.attempt, run.actor_name, "default", "default")
    with performing(CurrentRun(about, None, print, print)):
        yield


def rescue(run: Run) -> None:
    """Have the run's process die."""
    assert runs.rescue("default", "test") == 1
    Run.objects.filter(pk=run.pk).update(crashes=0, due_at=run.created_at)


def state(name: str = "pay") -> tuple[str, int]:
    (found,) = [one for one in monitoring.effects() if one.name == name]
    return found.state, found.unknowns


def test_finished_effect_is_not_performed_again(outside: Outside) -> None:
    run = make()
    with attempt_of(run):
        assert effect("pay", outside.happen) == "receipt 1"
        assert effect("pay", outside.happen) == "receipt 1"
    rescue(run)
    with attempt_of(run):
        assert effect("pay", outside.happen) == "receipt 1"
    assert outside.seen == [f"{run.pk}.pay"]
    assert state() == ("done", 0)


def test_each_run_has_an_effect_of_its_own(outside: Outside) -> None:
    for _ in range(2):
        with attempt_of(make()):
            effect("pay", outside.happen)
    assert len(set(outside.seen)) == 2


def test_runs_with_one_key_share_one_effect(outside: Outside) -> None:
    for _ in range(2):
        with attempt_of(make()):
            assert effect("pay", outside.happen, key="order-7") == "receipt 1"
    assert outside.seen == ["order-7"]


def test_effect_of_a_process_that_died_is_unknown_and_repeated(
    outside: Outside,
) -> None:
    run = make()
    with attempt_of(run):
        die(run, outside, "repeat")
    assert state() == ("unknown", 1)
    with attempt_of(run):
        assert effect("pay", outside.happen) == "receipt 2"
    assert outside.seen == [f"{run.pk}.pay"] * 2
    assert state() == ("done", 1)


def die(run: Run, outside: Outside, policy: str) -> None:
    """Begin an effect, and have the process die before it can say a word."""
    about = current_run()
    assert about is not None
    key = f"{run.pk}.pay"
    runs.intend("default", Intent("pay", key, policy, "", about.id, about.attempt))
    outside.happen(key)
    assert state() == ("performing", 0)
    rescue(run)


def test_effect_that_asks_is_not_repeated_before_it_is_answered(
    outside: Outside,
) -> None:
    run = make()
    with attempt_of(run):
        die(run, outside, "ask")
    with attempt_of(run), pytest.raises(EffectUnknown, match="may have happened"):
        effect("pay", outside.happen, on_unknown="ask")
    assert len(outside.seen) == 1
    assert control.answer(f"{run.pk}.pay", happened=True, value="by hand", by="ops")
    assert effect_again(run, outside) == "by hand"
    assert len(outside.seen) == 1


def effect_again(run: Run, outside: Outside) -> str:
    rescue(run)
    with attempt_of(run):
        return effect("pay", outside.happen, on_unknown="ask")


def test_effect_that_was_answered_not_to_have_happened_is_performed(
    outside: Outside,
) -> None:
    run = make()
    with attempt_of(run), pytest.raises(OSError, match="timed out"):
        outside.trouble = OSError("timed out")
        effect("pay", outside.happen, on_unknown="ask")
    outside.trouble = None
    assert control.answer(f"{run.pk}.pay", happened=False, by="ops")
    assert not control.answer(f"{run.pk}.pay", happened=True, by="ops")
    assert effect_again(run, outside) == "receipt 2"


def test_effect_that_certainly_failed_is_repeated_without_asking(
    outside: Outside,
) -> None:
    run = make()
    outside.trouble = Refused()
    with attempt_of(run), pytest.raises(Refused):
        effect("pay", outside.happen, on_unknown="ask", not_done=(Refused,))
    assert state() == ("failed", 0)
    outside.trouble = None
    assert effect_again(run, outside) == "receipt 2"


def test_other_exceptions_leave_it_unknown(outside: Outside) -> None:
    outside.trouble = TimeoutError("no answer")
    with attempt_of(make()), pytest.raises(TimeoutError):
        effect("pay", outside.happen, not_done=(Refused,))
    assert state() == ("unknown", 1)
    assert "no answer" in Effect.objects.get().error


def test_effect_that_another_run_performs_is_waited_for(outside: Outside) -> None:
    make_worker("worker")

    def meanwhile(key: str) -> str:
        with attempt_of(make()), pytest.raises(EffectBusy) as busy:
            effect("pay", outside.happen, key=key)
        assert busy.value.delay == 1000
        return "mine"

    with attempt_of(make()):
        assert effect("pay", meanwhile, key="shared") == "mine"
    assert outside.seen == []


def test_attempt_that_was_replaced_does_not_overwrite_the_new_ones_outcome(
    outside: Outside,
) -> None:
    run = make()

    def slowly(key: str) -> str:
        rescue(run)
        with attempt_of(run):
            effect("pay", outside.happen)
        return "late"

    with attempt_of(run), pytest.raises(LeaseLost):
        effect("pay", slowly)
    assert Effect.objects.get().value == "receipt 1"


def test_unknown_effect_that_asks_is_not_retried() -> None:
    assert wait(0, Options(max_retries=5), EffectUnknown("k", "why")) is None
    assert wait(0, Options(max_retries=5), EffectBusy("k")) is not None


def test_operator_settles_it_in_the_admin(outside: Outside, client: Client) -> None:
    outside.trouble = OSError()
    with pytest.raises(OSError):  # noqa: PT011  # any of them
        effect("pay", outside.happen, key="k", on_unknown="ask")
    user = User.objects.create_user(uuid4().hex, is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename="view_effect"))
    client.force_login(user)
    chosen = {"action": "happened", "_selected_action": ["k"]}
    client.post("/admin/core/effect/", chosen)
    assert state() == ("unknown", 1)
    user.user_permissions.add(*Permission.objects.filter(codename="answer_effect"))
    assert "Settled 1 of 1" in client.post(
        "/admin/core/effect/", chosen, follow=True
    ).content.decode("utf-8")
    assert state() == ("done", 1)
