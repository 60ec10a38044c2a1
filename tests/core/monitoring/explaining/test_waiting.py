"""Why a run has not started: one test for each reason."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from core import UnknownRun, actor, brokers, control, group, monitoring, runs
from core.models import Outcome, Run
from core.runs import ALONE, Failure
from tests.core.monitoring.explaining.asking import (
    ALIAS,
    add_worker,
    claimed,
    explain,
    reasons,
    row,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@actor(actor_name="test.explained")
def plain() -> None:
    """Do nothing."""


@actor(
    actor_name="test.explained.limited",
    concurrency=1,
    concurrency_key=lambda name: name,
)
def limited(name: str) -> None:
    """Do nothing, one at a time."""


@actor(actor_name="test.explained.paced", rate_limit="1/h")
def paced() -> None:
    """Do nothing, once an hour."""


def test_unknown_run_is_an_error() -> None:
    with pytest.raises(UnknownRun):
        monitoring.explain("00000000-0000-0000-0000-000000000000")


@pytest.mark.usefixtures("_worker")
def test_run_that_nothing_holds_is_next() -> None:
    assert reasons(row()) == ["next"]


@pytest.mark.usefixtures("_worker")
def test_delayed_run_says_until_when() -> None:
    message = plain.using(broker=ALIAS, delay=timedelta(hours=1)).send()
    (reason,) = explain(message).reasons
    assert (reason.code, reason.until) == (
        "delayed",
        monitoring.run(message.message_id).due_at,
    )
    assert "in 60 min" in reason.text


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.FAILED, "retry"), (Outcome.UNKNOWN, "unknown_actor")],
)
def test_run_that_is_tried_again_says_why_and_when(outcome: Outcome, code: str) -> None:
    run = claimed()
    runs.postpone("default", run, Failure(outcome, "ValueError: no"), 60)
    (reason,) = explain(run).reasons
    assert reason.code == code
    assert reason.until is not None


@pytest.mark.usefixtures("_worker")
def test_run_whose_process_died_waits_and_then_runs_alone() -> None:
    run = claimed("gone")
    runs.rescue("default", ALIAS)
    Run.objects.filter(pk=run.pk).update(due_at=runs.later(60))
    assert reasons(run) == ["crashed"]
    Run.objects.filter(pk=run.pk).update(due_at=Now(), relay_at=Now())
    assert reasons(run) == ["alone"]
    add_worker(f"{ALONE}1")
    other = claimed(f"{ALONE}1")
    (reason,) = explain(run).reasons
    assert (reason.code, reason.runs) == ("alone", (str(other.pk),))


@pytest.mark.usefixtures("_worker")
def test_run_of_a_paused_queue_says_who_has_paused_it() -> None:
    control.pause("default", broker=ALIAS, by="ann")
    published = row()
    Run.objects.filter(pk=published.pk).update(state="queued")
    for run in (row(), published):
        reason = explain(run).reasons[0]
        assert reason.code == "paused"
        assert "by ann since" in reason.text


@pytest.mark.usefixtures("_worker")
def test_run_that_is_too_old_says_that_it_will_not_run() -> None:
    assert reasons(row(expires_at=runs.later(-5))) == ["expired"]


@pytest.mark.usefixtures("_worker")
def test_run_over_a_concurrency_says_who_holds_it_and_not_the_key() -> None:
    here = limited.using(broker=ALIAS)
    first, second = here.send("secret"), here.send("secret")
    Run.objects.filter(pk=first.message_id).update(limit_granted=True)
    (reason,) = explain(second).reasons
    assert (reason.code, reason.runs) == ("concurrency", (first.message_id,))
    assert "limited to 1 at once, and 1 are out" in reason.text
    assert "secret" not in reason.text
    assert "concurrency" not in reasons(here.send("other"))


@pytest.mark.usefixtures("_worker")
def test_run_over_a_rate_says_when_the_next_may_start() -> None:
    paced.using(broker=ALIAS).send()
    second = paced.using(broker=ALIAS).send()
    rules, room = brokers[ALIAS].resolver.rules(), [(100, 1)]
    assert runs.reserve("default", ALIAS, "default", room, 5, rules)
    waiting = {str(run.pk) for run in Run.objects.filter(limit_granted=False)}
    assert len(waiting) == 1
    (reason,) = monitoring.explain(*waiting).reasons
    assert reason.code == "rate"
    assert reason.until is not None
    assert second.status() == "pending"


@pytest.mark.usefixtures("_worker")
def test_run_with_a_limit_of_another_release_says_so() -> None:
    assert "unknown_limit" in reasons(row(limit_key="newer"))


@pytest.mark.usefixtures("_worker")
def test_run_whose_queue_is_undecided_says_so() -> None:
    assert reasons(row(routed=False)) == ["unrouted"]


@pytest.mark.usefixtures("_worker")
def test_step_of_a_pipeline_names_the_one_before() -> None:
    first, second = (
        (plain.message() | plain.using(pipe_ignore=True).message()).run().messages
    )
    (reason,) = explain(second).reasons
    assert (reason.code, reason.runs) == ("predecessor", (first.message_id,))


@pytest.mark.usefixtures("_worker")
def test_last_word_of_a_group_names_the_members_that_have_not_ended() -> None:
    here = plain.using(broker=ALIAS)
    members = [here.message() for _ in range(3)]
    last = here.message()
    group(members).then(last).run()
    (reason,) = explain(last).reasons
    assert reason.code == "group"
    assert "3 of 3 have not ended" in reason.text
    assert set(reason.runs) == {member.message_id for member in members}
