"""Why a run has not started: one test for each reason."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from core import UnknownRun, actor, brokers, control, group, monitoring, runs
from core.models import Outcome, Run
from core.runs import ALONE, Failure
from core.testing import rehearsing
from tests.core.one_queue import THREADS, make_worker
from tests.core.test_runs import make
from tests.core.verbs import tasks, told
from tests.services.environment import free_port
from tests.services.valkey import Valkey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ALIAS = "explained"


@pytest.fixture(autouse=True)
def _alias(settings: Any, valkey: Valkey) -> Iterator[None]:
    """An alias with a broker that answers, and nobody who works."""
    settings.BROKERS = {
        **settings.BROKERS,
        ALIAS: {
            "BACKEND": "backends.dramatiq.DramatiqBackend",
            "URL": valkey.url,
        },
    }
    with rehearsing():
        yield
    brokers.forget(ALIAS)


@pytest.fixture
def _worker() -> None:
    add_worker()


def add_worker(name: str = "one", **fields: Any) -> None:
    make_worker(name, ALIAS, **fields)


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


def reasons(run: Any) -> list[str]:
    return [one.code for one in explain(run).reasons]


def explain(run: Any) -> monitoring.Explanation:
    return monitoring.explain(str(getattr(run, "message_id", None) or run.pk))


def row(**fields: Any) -> Run:
    return make(broker=ALIAS, **fields)


def claimed(worker: str = "one") -> Run:
    run = row()
    claimed = runs.claim("default", run.pk, worker)
    assert claimed
    return claimed


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


def test_run_whose_queue_nobody_serves_says_how_to_start_a_worker() -> None:
    add_worker(queues=["other"])
    add_worker("dead", lease_until=runs.later(-5))
    (reason,) = explain(row()).reasons
    assert reason.code == "no_worker"
    assert "those that are alive serve other" in reason.text
    assert f"manage.py worker --broker={ALIAS} --queues=default" in reason.text


@pytest.mark.usefixtures("_worker")
def test_run_whose_broker_is_away_says_so(settings: Any) -> None:
    run = row()
    config = {**settings.BROKERS[ALIAS], "URL": f"redis://127.0.0.1:{free_port()}"}
    settings.BROKERS = {**settings.BROKERS, ALIAS: config}
    brokers.forget(ALIAS)
    assert reasons(run) == ["broker_away"]


@pytest.mark.usefixtures("_worker")
def test_run_behind_others_says_how_many_and_that_the_broker_is_full() -> None:
    row(priority=-10)
    row()
    published = [row() for _ in range(2 * THREADS)]
    runs.mark("default", published, 20)
    run = row()
    behind, full = explain(run).reasons
    assert (behind.code, full.code) == ("behind", "full")
    assert behind.text.startswith("2 more urgent or older")
    assert "4 of default are at the broker, which is given 4" in full.text
    assert f"0 of {THREADS} threads are busy" in full.text


@pytest.mark.usefixtures("_worker")
def test_run_that_is_just_being_published_says_by_whom() -> None:
    by_sender = row(relay_at=runs.later(5))
    (reason,) = explain(by_sender).reasons
    assert (reason.code, reason.text[:10]) == ("publishing", "Its sender")
    by_relay = row(relay_at=runs.later(5), reserved=True)
    assert explain(by_relay).reasons[-1].text.startswith("A relay")


@pytest.mark.usefixtures("_worker")
def test_published_run_says_what_comes_before_it_and_who_is_busy() -> None:
    claimed()
    first, second = row(), row()
    runs.mark("default", [first], 20)
    Run.objects.filter(pk=first.pk).update(relay_at=runs.later(10))
    runs.mark("default", [second], 20)
    (reason,) = explain(second).reasons
    assert reason.code == "published"
    assert "1 of default come before it" in reason.text
    assert f"1 of {THREADS} threads are busy, the longest for" in reason.text


@pytest.mark.usefixtures("_worker")
def test_running_run_says_where_and_whether_its_worker_is_gone() -> None:
    assert reasons(claimed()) == ["running"]
    assert reasons(claimed("silent")) == ["running", "left"]


@pytest.mark.usefixtures("_worker")
def test_run_that_was_cancelled_while_it_crashed_starts_no_more() -> None:
    assert reasons(row(cancel_requested=True)) == ["cancelled"]


def test_run_that_has_ended_says_how() -> None:
    run = claimed()
    runs.bury("default", run, Failure(Outcome.FAILED, "ValueError: no"))
    (reason,) = explain(run).reasons
    assert reason.code == "ended"
    assert reason.text.endswith("dead: ValueError: no")


def test_command_prints_text_or_json() -> None:
    run = row()
    text = tasks("explain", str(run.pk))
    assert f"{run.pk} on {ALIAS} is pending." in text
    assert "- No live worker serves the queue default" in text
    values = told("explain", str(run.pk))
    assert values["reasons"][0]["code"] == "no_worker"
