"""A secret argument is in no row, no log line, no page, whatever the body raises."""

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client

from core import Message, Middleware, Secret, actor, brokers, current_run, effect
from core.models import Attempt, Effect, Parked, Run
from core.secrets.redaction import hiding, redact, trace
from core.wire.envelope import Envelope

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = 'corr"ect\nhorse \\ bättery'


@actor(actor_name="test.redaction.told", max_retries=0)
def told(message: dict[str, Any], said: dict[str, str]) -> None:
    """Be told of the failure of another one."""


def complain(retries: int, error: BaseException) -> bool:
    raise ValueError(f"cannot judge {error}")


OPTIONS: dict[str, dict[str, Any]] = {
    "durable": {"max_retries": 0},
    "retried": {"max_retries": 3},
    "direct": {"max_retries": 0, "durable": False},
    "told": {"max_retries": 0, "on_failure": "test.redaction.told"},
    "judged": {"retry_when": complain},
}


def fail(password: Secret[Any]) -> None:
    raise PermissionError(f"refused {password}", {"password": password})


def fail_with_a_cause(password: Secret[Any]) -> None:
    try:
        raise KeyError(password)
    except KeyError as error:
        error.add_note(f"the password was {password}")
        raise RuntimeError("no") from error


def fail_in_an_effect(password: Secret[Any]) -> None:
    def pay(key: str) -> None:
        raise OSError(f"https://example.org/?password={password}")

    effect("pay", pay)


def fail_too_late(password: Secret[Any]) -> None:
    run = current_run()
    assert run is not None
    with run.atomic():
        pass
    raise PermissionError(f"refused {password}")


async def fail_async(password: Secret[Any]) -> None:
    raise PermissionError(f"refused {password}")


BODIES = (fail, fail_with_a_cause, fail_in_an_effect, fail_async)
ACTORS = [
    actor(actor_name=f"test.redaction.{kind}.{body.__name__}", **options)(body)
    for kind, options in OPTIONS.items()
    for body in BODIES
]
late = actor(actor_name="test.redaction.late", max_retries=0)(fail_too_late)


class Nosy(Middleware):
    """Fails itself while it is told of a failure."""

    def after_process_message(self, broker: Any, message: Any, **told: Any) -> None:
        raise ValueError("nosy")


@pytest.fixture(autouse=True)
def nosy() -> Iterator[None]:
    members = brokers["default"].middleware.members
    members.append(Nosy())
    yield
    members.pop()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text


def rows() -> str:
    models = (Run, Attempt, Effect, Parked)
    return "".join(
        str([vars(row) for row in model.objects.all()])
        + serializers.serialize("json", model.objects.all())
        for model in models
    )


def pages(run_id: str) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    paths = ("run/", f"run/{run_id}/change/", "attempt/", "effect/", "parked/")
    return "".join(client.get(f"/admin/core/{path}").text for path in paths)


def commands(run_id: str) -> str:
    out = StringIO()
    for verb in (["runs"], ["show", run_id]):
        call_command("tasks", *verb, stdout=out)
        call_command("tasks", *verb, "--json", stdout=out)
    return out.getvalue()


def leaks(text: str) -> list[str]:
    """Return which words of the secret a text shows, however they are escaped."""
    return [w for w in ("corr", "horse", "ttery") if w in text]


@pytest.mark.parametrize("actor_", ACTORS, ids=lambda one: one.actor_name[15:])
def test_secret_in_a_failure_is_nowhere(actor_: Any, logged: Callable[[], str]) -> None:
    message = actor_.send(SECRET)
    assert Run.objects.get(pk=message.message_id).error  # it is told, without it
    assert Attempt.objects.get(run=message.message_id).traceback.startswith("Trace")
    shown = {
        "rows": rows(),
        "log": logged(),
        "pages": pages(message.message_id),
        "commands": commands(message.message_id),
        "message": f"{message} {message!r} {Message.get(message.message_id)!r}",
    }
    assert {where: leaks(text) for where, text in shown.items() if leaks(text)} == {}
    assert "***" in shown["rows"]


def test_body_that_fails_after_its_end_does_not_log_it(
    logged: Callable[[], str],
) -> None:
    late.send(SECRET)
    assert "after it had been settled" in logged()
    assert leaks(logged()) == []


def test_failure_that_cannot_be_saved_does_not_log_it(
    logged: Callable[[], str],
) -> None:
    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if 'INTO "core_attempt"' in sql:
            raise DatabaseError("gone")
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        ACTORS[0].send(SECRET)
    assert "DatabaseError: gone" in logged()
    assert leaks(logged()) == []


def test_message_shows_stars() -> None:
    message = ACTORS[0].message(SECRET)
    keyword = ACTORS[0].message(password=SECRET)
    assert str(message) == "test.redaction.durable.fail('***')"
    assert str(keyword) == "test.redaction.durable.fail(password='***')"
    plain = Envelope("q", message.actor_name, (SECRET,), {}, {})
    for shown in (repr(message), repr(keyword), repr(plain), f"{[plain]}"):
        assert leaks(shown) == []
        assert "***" in shown
    assert message.args == (SECRET,)


@pytest.mark.parametrize(
    "secret",
    ["hunter22", 123456, ["a", {"deep": "hunter22"}], "  hunter22 ", "50%&é=/"],
)
def test_every_part_of_a_secret_is_left_out(secret: Any) -> None:
    leaf = "123456" if secret == 123456 else "hunter22"
    leaf = secret if secret == "50%&é=/" else leaf
    with hiding([secret]):
        assert leaf not in redact(f"{leaf!r} {leaf} {{'a': {leaf!r}}}")
        assert leaf not in trace(KeyError(leaf))


def test_secret_is_found_however_it_is_escaped() -> None:
    with hiding([SECRET]):
        for text in (repr(repr(SECRET)), json.dumps(SECRET), quote(SECRET)):
            assert leaks(redact(text)) == []


def test_short_secret_does_not_ruin_the_text() -> None:
    with hiding(["a", "42", True, None, ""]):
        assert redact("a banana is 42, True or None") == "a banana is 42, True or None"


def test_secret_that_begins_another_one_hides_neither() -> None:
    with hiding(["hunter", "hunter22"]):
        assert redact("hunter22 hunter") == "*** ***"


def test_nothing_is_hidden_outside() -> None:
    with hiding(["hunter22"]):
        pass
    assert redact("hunter22") == "hunter22"
