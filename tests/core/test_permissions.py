"""Each action has its own permission, and is a POST from our own page."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from core import Message, actor, monitoring
from core.models import Effect, EffectState, Parked
from core.runs import later

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = "/admin/core/run/"
EFFECTS = "/admin/core/effect/"


@actor(actor_name="test.permissions.fail", max_retries=0)
def fail(word: str, *, number: int) -> None:
    """Say something in its traceback alone."""
    raise RuntimeError(f"no {number}")


@pytest.fixture
def dead() -> Message:
    return fail.send("green tiger", number=424242)


@pytest.fixture
def waiting() -> Message:
    return fail.using(delay=600_000).send("green tiger", number=1)


@pytest.fixture
def unknown() -> Effect:
    return Effect.objects.create(
        key="r.pay",
        name="pay",
        state=EffectState.UNKNOWN,
        value="green tiger",
        intended_at=later(0),
    )


def staff(*codenames: str, strict: bool = False) -> Client:
    user = User.objects.create_user("carol", is_staff=True)
    found = Permission.objects.filter(
        content_type__app_label="core", codename__in=codenames
    )
    assert found.count() == len(codenames)
    user.user_permissions.add(*found)
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client


def act(client: Client, page: str, action: str, key: str, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": [key], **more}
    return client.post(page, chosen, follow=True)


ALL = ["requeue_run", "cancel_run", "answer_effect"]


def others(needed: str) -> list[str]:
    view = ["view_run", "view_effect", "view_arguments", "change_run", "change_effect"]
    return [*view, *(name for name in ALL if name != needed)]


def test_requeue_needs_its_permission(dead: Message) -> None:
    act(staff(*others("requeue_run")), RUNS, "requeue", dead.message_id)
    assert dead.status() == "dead"
    assert monitoring.audit() == []


def test_requeue_is_enough_and_the_audit_names_the_user(dead: Message) -> None:
    act(staff("view_run", "requeue_run"), RUNS, "requeue", dead.message_id)
    assert dead.status() == "pending"
    assert [(e.by, e.verb) for e in monitoring.audit()] == [("carol", "requeue")]


def test_cancel_needs_its_permission(waiting: Message) -> None:
    act(staff(*others("cancel_run")), RUNS, "cancel", waiting.message_id)
    assert waiting.status() == "pending"


def test_cancel_is_enough(waiting: Message) -> None:
    act(staff("view_run", "cancel_run"), RUNS, "cancel", waiting.message_id)
    assert waiting.status() == "cancelled"


def test_answer_needs_its_permission(unknown: Effect) -> None:
    act(staff(*others("answer_effect")), EFFECTS, "happened", unknown.pk)
    unknown.refresh_from_db()
    assert unknown.state == EffectState.UNKNOWN


def test_answer_permission_is_enough_to_answer(unknown: Effect) -> None:
    act(staff("view_effect", "answer_effect"), EFFECTS, "happened", unknown.pk)
    unknown.refresh_from_db()
    assert unknown.state == EffectState.DONE
    assert monitoring.audit()[0].by == "carol"


def test_arguments_and_tracebacks_are_hidden(dead: Message) -> None:
    page = staff("view_run").get(f"{RUNS}{dead.message_id}/change/")
    assert page.status_code == 200
    assert "test.permissions.fail" in page.text
    assert 'id="attempts-0"' in page.text
    for hidden in (
        "green tiger",
        "Traceback",
        "raise RuntimeError",
        "Options",
        "Kwargs",
    ):
        assert hidden not in page.text


def test_viewer_of_arguments_sees_them(dead: Message) -> None:
    viewer = staff("view_run", "view_arguments")
    page = viewer.get(f"{RUNS}{dead.message_id}/change/").text
    for shown in ("green tiger", "Traceback", "Options", "Kwargs"):
        assert shown in page


@pytest.mark.parametrize(
    "guess",
    [
        "args__icontains=tiger",
        "kwargs__number=1",
        "attempts__traceback__contains=no",
        "error__contains=424242",
    ],
)
def test_hidden_fields_cannot_be_guessed_by_filters(dead: Message, guess: str) -> None:
    assert staff("view_run").get(f"{RUNS}?{guess}").status_code == 400


@pytest.mark.parametrize(
    ("permissions", "words"), [([], False), (["view_arguments"], True)]
)
def test_words_of_an_error_are_hidden_and_its_kind_is_not(
    dead: Message, permissions: list[str], words: bool
) -> None:
    client = staff("view_run", *permissions)
    for page in (RUNS, f"{RUNS}{dead.message_id}/change/"):
        text = client.get(page).text
        assert "RuntimeError" in text
        assert ("no 424242" in text) is words
    found = client.get(RUNS, {"q": "424242"}).text
    assert (dead.message_id in found) is words


@actor(actor_name="test.permissions.noting", max_retries=0)
def fail_with_a_note(word: str) -> None:
    error = RuntimeError("no")
    error.add_note(word)
    raise error


def test_note_of_an_exception_is_no_kind_of_it() -> None:
    fail_with_a_note.send("tiger")
    page = staff("view_run").get(RUNS).text
    assert "RuntimeError" in page
    assert "tiger" not in page


def test_words_of_an_effects_error_are_hidden(unknown: Effect) -> None:
    Effect.objects.update(error="OSError('tiger')")
    client = staff("view_effect")
    for page in (EFFECTS, f"{EFFECTS}{unknown.pk}/change/"):
        assert "OSError" in client.get(page).text
        assert "tiger" not in client.get(page).text


def test_value_of_an_effect_is_hidden(unknown: Effect) -> None:
    page = staff("view_effect").get(f"{EFFECTS}{unknown.pk}/change/")
    assert page.status_code == 200
    assert "green tiger" not in page.text


@pytest.mark.parametrize(("permissions", "seen"), [([], 0), (["view_arguments"], 1)])
def test_parked_payload_is_hidden(permissions: list[str], seen: int) -> None:
    row = Parked.objects.create(
        broker="default",
        queue="q",
        payload=b"tiger",
        size=5,
        reason="",
        parked_at=later(0),
    )
    page = staff("view_parked", *permissions).get(
        f"/admin/core/parked/{row.pk}/change/"
    )
    assert page.status_code == 200
    assert page.text.count("tiger") == seen


def test_audit_is_read_only() -> None:
    viewer = staff("view_auditentry", "change_auditentry", "delete_auditentry")
    assert viewer.get("/admin/core/auditentry/").status_code == 200
    assert viewer.get("/admin/core/auditentry/add/").status_code == 403


def test_get_changes_nothing(dead: Message) -> None:
    client = staff("view_run", *ALL)
    client.get(f"{RUNS}?action=requeue&_selected_action={dead.message_id}")
    client.get(RUNS, {"action": "requeue", "_selected_action": [dead.message_id]})
    assert dead.status() == "dead"
    assert monitoring.audit() == []


def test_post_without_a_token_is_refused(dead: Message) -> None:
    client = staff("view_run", *ALL, strict=True)
    assert act(client, RUNS, "requeue", dead.message_id).status_code == 403
    assert dead.status() == "dead"
    client.get(RUNS)
    token = client.cookies["csrftoken"].value
    act(client, RUNS, "requeue", dead.message_id, csrfmiddlewaretoken=token)
    assert dead.status() == "pending"
