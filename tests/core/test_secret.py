"""Arguments that nobody may read but the body."""

from typing import Any

import pytest
from cryptography.fernet import InvalidToken

from core import Message, Secret, actor, brokers, monitoring
from core.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
seen: list[Any] = []


@actor
def log_in(user: str, password: Secret[str], *, token: Secret[str] = "") -> None:
    """Remember what it was given."""
    seen.append((user, password, token))


@pytest.fixture(autouse=True)
def empty() -> None:
    seen.clear()


def test_body_gets_the_arguments_that_were_sent() -> None:
    log_in.send("ann", "s3cret", token="t0ken")
    assert seen == [("ann", "s3cret", "t0ken")]


def test_row_and_message_do_not_show_it() -> None:
    message = log_in.send("ann", "s3cret", token="t0ken")
    run = Run.objects.get(pk=message.message_id)
    shown = f"{run.args} {run.kwargs} {monitoring.run(message.message_id)}"
    found = Message.get(message.message_id)
    assert "s3cret" not in shown + str(found) + repr(found)
    assert "t0ken" not in shown + str(found)
    assert run.args[0] == "ann"


def test_wire_of_a_direct_message_does_not_show_it() -> None:
    entry = brokers["default"].enqueuer.draft(log_in.message("ann", "s3cret"))
    assert "s3cret" not in brokers["default"].sender.signer.sign_message(entry.message)


def test_same_idempotency_key_is_the_same_run_with_a_secret() -> None:
    first = log_in.using(idempotency_key="once").send("ann", "s3cret")
    again = log_in.using(idempotency_key="once").send("ann", "s3cret")
    assert (again.created, again.message_id) == (False, first.message_id)


def test_secret_outlives_the_rotation_of_the_key(settings: Any) -> None:
    message = log_in.using(delay=600_000).send("ann", "s3cret")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a newer key"
    Run.objects.update(due_at="2020-01-01T00:00:00Z")
    broker = brokers["default"]
    broker.deliver("default", broker.sender.signer.sign(message.message_id))
    assert seen == [("ann", "s3cret", "")]


def test_secret_under_a_forgotten_key_cannot_be_read(settings: Any) -> None:
    message = log_in.using(delay=600_000, max_retries=0).send("ann", "s3cret")
    settings.SECRET_KEY = "a newer key"
    Run.objects.update(due_at="2020-01-01T00:00:00Z")
    broker = brokers["default"]
    broker.deliver("default", broker.sender.signer.sign(message.message_id))
    run = monitoring.run(message.message_id)
    assert (seen, run.state) == ([], "dead")
    assert InvalidToken.__name__ in run.error


@actor
def log_in_somehow(
    password: Secret[str] | None = None, *more: Secret[str], **others: Secret[str]
) -> None:
    """Remember what it was given."""
    seen.append((password, more, others))


@actor
def log_in_all(passwords: list[Secret[str]]) -> None:
    """Remember what it was given."""
    seen.append(passwords)


def row_of(message: Message[Any]) -> str:
    run = Run.objects.get(pk=message.message_id)
    return f"{run.args} {run.kwargs}"


def test_optional_secret_and_a_list_of_some_are_secret_too() -> None:
    shown = row_of(log_in_somehow.send("s3cret")) + row_of(log_in_all.send(["s3cret"]))
    assert "s3cret" not in shown
    assert seen == [("s3cret", (), {}), ["s3cret"]]


def test_each_of_any_number_of_secrets_is_secret() -> None:
    message = log_in_somehow.send("s3cret1", "s3cret2", "s3cret3", other="s3cret4")
    assert "s3cret" not in row_of(message)
    assert seen == [("s3cret1", ("s3cret2", "s3cret3"), {"other": "s3cret4"})]
