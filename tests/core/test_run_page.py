"""The page of one run in the admin: what is told first, and the buttons."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from core import Message, actor, monitoring

pytestmark = pytest.mark.django_db(transaction=True)


@actor(actor_name="test.page.fail", max_retries=0)
def fail(secret: str) -> None:
    raise RuntimeError(f"not with {secret}")


@actor(actor_name="test.page.work")
def work() -> str:
    return "done"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def staff(client: Client, *codenames: str) -> Client:
    """Sign in one who may only do that."""
    viewer = User.objects.create_user("viewer", is_staff=True)
    given = Permission.objects.filter(codename__in=codenames)
    viewer.user_permissions.add(*given)
    client.force_login(viewer)
    return client


def page(client: Client, message: Message[Any]) -> str:
    found = client.get(f"/admin/core/run/{message.message_id}/change/")
    assert found.status_code == 200
    return str(found.text)


def buttons(client: Client, message: Message[Any]) -> list[str]:
    return re.findall(r'<button class="run-act">(\w+)<', page(client, message))


def press(client: Client, verb: str, message: Message[Any], **more: Any) -> Any:
    return client.post(f"/admin/core/run/{message.message_id}/{verb}/", **more)


def test_page_tells_why_a_run_waits(operator: Client) -> None:
    told = page(operator, work.send_with_options(delay=600_000))
    assert re.search(r"<li>It is delayed until .*, in 10 min", told)


def test_traceback_keeps_its_lines(operator: Client) -> None:
    told = page(operator, fail.send("x"))
    assert re.search(r'<pre class="run-text">Traceback .*\n  File &quot;', told)


def test_buttons_are_those_that_the_state_allows(operator: Client) -> None:
    assert buttons(operator, fail.send("x")) == ["requeue"]
    assert buttons(operator, work.send_with_options(delay=600_000)) == ["cancel"]
    assert buttons(operator, work.send()) == []


def test_pressed_button_does_it_and_is_in_the_audit(operator: Client) -> None:
    message = work.send_with_options(delay=600_000)
    assert "Done: cancel." in press(operator, "cancel", message, follow=True).text
    assert message.status() == "cancelled"
    press(operator, "requeue", message)
    assert message.status() == "pending"
    told = [(entry.by, entry.verb) for entry in monitoring.audit()]
    assert told == [("operator", "requeue"), ("operator", "cancel")]


def test_button_that_comes_too_late_says_so(operator: Client) -> None:
    told = press(operator, "cancel", work.send(), follow=True).text
    assert "It is succeeded: it has ended." in told


def test_button_wants_its_permission_and_a_post(client: Client) -> None:
    message = fail.send("x")
    viewer = staff(client, "view_run", "cancel_run")
    assert buttons(viewer, message) == []
    assert press(viewer, "requeue", message).status_code == 403
    assert (
        viewer.get(f"/admin/core/run/{message.message_id}/cancel/").status_code == 405
    )
    assert message.status() == "dead"


def test_viewer_without_permission_sees_no_arguments(client: Client) -> None:
    message = fail.send("hunter22")
    told = page(staff(client, "view_run"), message)
    assert "hunter22" not in told
    assert "RuntimeError" in told


def test_viewer_without_permission_sees_the_reason_in_a_word(client: Client) -> None:
    message = work.send_with_options(delay=600_000)
    told = page(staff(client, "view_run"), message)
    assert "delayed" in told
    assert "It is delayed until" not in told


def test_traceback_begins_with_the_body(operator: Client) -> None:
    trace = monitoring.run(fail.send("x").message_id).attempts[0].traceback
    first, second, *_ = trace.splitlines()
    assert first == "Traceback (most recent call last):"
    assert second.endswith("in fail")


def test_admin_has_one_list_of_runs(operator: Client) -> None:
    assert "Dramatiq" not in operator.get("/admin/").text
