"""What an operator sees and does, on the command line and in the admin."""

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from core import Message, UnknownRun, actor, control, monitoring, runs
from tests.core.one_queue import make_worker

pytestmark = pytest.mark.django_db(transaction=True)


@actor(max_retries=0)
def break_down() -> None:
    """Fail at once, with a name that can be searched for."""
    raise RuntimeError("the boiler is cold")


@pytest.fixture
def dead() -> Message:
    return break_down.send()


@pytest.fixture
def waiting() -> Message:
    return break_down.send_with_options(delay=600_000)


def tasks(*args: str) -> str:
    out = StringIO()
    call_command("tasks", *args, stdout=out)
    return out.getvalue()


def test_runs_lists_what_the_filter_means(dead: Message, waiting: Message) -> None:
    listed = tasks("runs", "--state", "dead")
    assert dead.message_id in listed
    assert waiting.message_id not in listed


def test_show_prints_every_attempt_with_its_traceback(dead: Message) -> None:
    shown = tasks("show", dead.message_id)
    assert "attempt 1: failed" in shown
    assert 'raise RuntimeError("the boiler is cold")' in shown


def test_json_is_for_programs(dead: Message) -> None:
    (run,) = json.loads(tasks("runs", "--json"))
    assert (run["id"], run["error"]) == (
        dead.message_id,
        "RuntimeError: the boiler is cold",
    )


def test_dry_run_counts_and_changes_nothing(dead: Message) -> None:
    counted = tasks("requeue", "--state", "dead", "--dry-run")
    assert counted.strip() == "Would change 1 run."
    assert dead.status() == "dead"


def test_requeue_by_filter_gives_dead_runs_a_new_life(dead: Message) -> None:
    assert tasks("requeue", "--actor", dead.actor_name).strip() == "Changed 1 run."
    assert dead.status() == "pending"


def test_cancel_by_id_stops_what_has_not_started(waiting: Message) -> None:
    assert tasks("cancel", waiting.message_id).strip() == "Changed 1 run."
    assert waiting.status() == "cancelled"


def test_nothing_is_changed_without_ids_or_a_filter(waiting: Message) -> None:
    with pytest.raises(CommandError, match="Give ids, or a filter"):
        tasks("cancel")
    assert waiting.status() == "pending"


@pytest.mark.parametrize("run_id", ["no-id", "0b0d5d0e-6d1c-4d0e-9d5e-4b8f6f1c2a3b"])
def test_unknown_id_is_named(run_id: str) -> None:
    with pytest.raises(CommandError, match=run_id):
        tasks("show", run_id)


def test_unknown_filter_is_refused() -> None:
    with pytest.raises(TypeError, match="actr"):
        monitoring.runs(actr="x")


def test_malformed_id_is_refused_by_control() -> None:
    with pytest.raises(UnknownRun):
        control.cancel(["no-id"], by="ops")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def act(client: Client, action: str, message: Message) -> Any:
    chosen = {"action": action, "_selected_action": [message.message_id]}
    return client.post("/admin/core/run/", chosen, follow=True)


def test_admin_requeues_a_dead_run(operator: Client, dead: Message) -> None:
    assert "Requeued 1 run." in act(operator, "requeue", dead).text
    assert dead.status() == "pending"


def test_admin_cancels_a_waiting_run(operator: Client, waiting: Message) -> None:
    assert "Cancelled 1 run." in act(operator, "cancel", waiting).text
    assert waiting.status() == "cancelled"


def test_admin_shows_a_run_with_its_traceback(operator: Client, dead: Message) -> None:
    page = operator.get(f"/admin/core/run/{dead.message_id}/change/")
    assert "the boiler is cold" in page.text


@pytest.mark.parametrize("model", ["run", "parked", "worker"])
def test_admin_adds_no_rows_by_hand(
    operator: Client, dead: Message, model: str
) -> None:
    assert operator.get(f"/admin/core/{model}/").status_code == 200
    assert operator.get(f"/admin/core/{model}/add/").status_code == 403


def test_staff_without_permission_cannot_act(client: Client, dead: Message) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(
        *viewer.user_permissions.model.objects.filter(codename="view_run")
    )
    client.force_login(viewer)
    act(client, "requeue", dead)
    assert dead.status() == "dead"


def test_admin_shows_which_workers_are_alive(operator: Client) -> None:
    make_worker("here", rate=3.14159, rss=2**20)
    make_worker("gone", lease_until=runs.later(-1))
    rows = operator.get("/admin/core/worker/").text.split("<tr")
    (here,) = [row for row in rows if ">here<" in row]
    (gone,) = [row for row in rows if ">gone<" in row]
    for shown in ("3.1<", "1.0\xa0MB", "icon-yes"):
        assert shown in here
    assert "icon-no" in gone


@pytest.mark.database
@pytest.mark.parametrize(
    ("model", "action"),
    [
        ("run", "requeue"),
        ("schedule", "pause"),
        ("alertrule", "delete_selected"),
        ("effect", "happened"),
    ],
)
@pytest.mark.parametrize("chosen", ["seven", "", "\0", "9" * 40])
def test_action_on_an_id_that_cannot_be_is_refused(
    operator: Client, model: str, action: str, chosen: str
) -> None:
    given = {"action": action, "_selected_action": [chosen]}
    answer = operator.post(f"/admin/core/{model}/", given, follow=True)
    assert answer.status_code == 200
    assert not monitoring.audit()
