"""A run that is requeued with other arguments."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError

from core import (
    InvalidArguments,
    Message,
    Secret,
    UnknownRun,
    actor,
    control,
    monitoring,
    pipeline,
)
from core.models import Run
from core.testing import drain
from tests.core.verbs import tasks, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

kept: list[Any] = []


@pytest.fixture(autouse=True)
def _empty() -> None:
    kept.clear()


@actor(actor_name="test.amending.mail", max_retries=0)
def mail(number: int, to: str = "nobody", **more: Any) -> None:
    if to == "nobody":
        raise ValueError("no address")
    kept.append((number, to, more))


@actor(actor_name="test.amending.login", max_retries=0)
def login(user: str, password: Secret[str], *, host: str = "") -> None:
    if not host:
        raise ValueError("no host")
    kept.append((user, password, host))


def by_user(number: int, to: str = "nobody") -> str:
    return to


@actor(
    actor_name="test.amending.limited",
    max_retries=0,
    concurrency=1,
    concurrency_key=by_user,
)
def limited(number: int, to: str = "nobody") -> None:
    raise ValueError("always")


def again(message: Message[Any], **given: Any) -> str:
    """Requeue with other arguments, let it run, and return its state."""
    assert control.requeue_with(message.message_id, by="ann", **given)
    drain()
    return message.status()


def test_named_argument_is_replaced_and_the_others_stay() -> None:
    message = mail.send(7)
    assert message.status() == "dead"
    assert again(message, kwargs={"to": "ann"}) == "succeeded"
    assert kept == [(7, "ann", {})]


def test_positional_arguments_are_replaced_together() -> None:
    message = mail.send(7, cc="bob")
    assert again(message, args=[8, "ann"]) == "succeeded"
    assert kept == [(8, "ann", {"cc": "bob"})]


def test_argument_that_only_double_star_takes_is_added() -> None:
    message = mail.send(number=7, cc="bob")
    assert again(message, kwargs={"to": "ann", "bcc": "eve"}) == "succeeded"
    assert kept == [(7, "ann", {"cc": "bob", "bcc": "eve"})]


def test_secret_stays_as_it_was_and_secret() -> None:
    message = login.send("ann", "hunter22")
    assert again(message, kwargs={"host": "mail"}) == "succeeded"
    assert kept == [("ann", "hunter22", "mail")]


def test_secret_is_replaced_by_a_secret() -> None:
    message = login.send("ann", "hunter21")
    assert again(message, args=["ann", "hunter22"], kwargs={"host": "x"}) == "succeeded"
    assert kept == [("ann", "hunter22", "x")]
    assert "hunter22" not in str(Run.objects.values())


def test_limit_is_that_of_the_new_arguments() -> None:
    message = limited.send(1, "ann")
    control.requeue_with(message.message_id, by="ann", kwargs={"to": "bob"})
    assert Run.objects.get().limit_key == "test.amending.limited:bob"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"args": []}, "missing a required argument: 'number'"),
        ({"args": [1, "a", "b"]}, "too many positional arguments"),
        ({"kwargs": {"to": {1}}}, "JSON"),
    ],
)
def test_amending_refuses_what_a_send_refuses(given: Any, problem: str) -> None:
    message = mail.send(7)
    with pytest.raises(InvalidArguments, match=problem):
        control.requeue_with(message.message_id, by="ann", **given)
    assert message.status() == "dead"
    assert not monitoring.audit()


def test_argument_of_an_unknown_name_is_refused() -> None:
    message = login.send("ann", "hunter22")
    with pytest.raises(InvalidArguments, match="it takes no 'hsot' by name"):
        control.requeue_with(message.message_id, by="ann", kwargs={"hsot": "mail"})


def test_audit_names_changed_arguments_without_values() -> None:
    message = mail.send(7)
    control.requeue_with(message.message_id, by="ann", kwargs={"to": "secret@x.org"})
    (entry,) = monitoring.audit()
    assert (entry.by, entry.verb, entry.changed) == ("ann", "requeue", 1)
    assert entry.target.endswith(f"{message.message_id}, with other arguments: to")


def test_run_that_has_not_failed_keeps_its_arguments() -> None:
    message = mail.send(7, "ann")
    assert not control.requeue_with(message.message_id, by="ann", kwargs={"to": "bob"})
    assert Run.objects.get().args == [7, "ann"]


def test_step_of_a_pipeline_still_gets_the_result_before_it() -> None:
    last = pipeline([produce.message(), mail.message()]).run().messages[-1]
    assert last.status() == "dead"
    assert again(last, kwargs={"to": "ann"}) == "succeeded"
    assert kept == [(5, "ann", {})]


@actor(actor_name="test.amending.produce")
def produce() -> int:
    return 5


def test_command_requeues_one_run_with_other_arguments() -> None:
    message = mail.send(7)
    done = told("requeue", message.message_id, "--kwargs", '{"to": "ann"}')
    assert done == {"changed": 1, "refused": {}}
    assert Run.objects.get().args == [7, "ann"]


def test_command_tries_the_arguments_in_a_dry_run() -> None:
    message = mail.send(7)
    given = ["requeue", message.message_id, "--dry-run", "--args"]
    assert told(*given, '[8, "ann"]')["would_change"] == 1
    assert Run.objects.get().args == [7]
    with pytest.raises(CommandError, match="too many positional"):
        tasks(*given, "[1, 2, 3]")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (["--args", "7"], "'7' is no JSON list"),
        (["--kwargs", "[7]"], 'is no JSON object, as {"number": 7}'),
        (["--args", "[7]", "--state", "dead"], "give its id alone"),
        ([str(uuid4()), "--args", "[7]"], "give its id alone"),
    ],
)
def test_command_refuses_contradicting_arguments(more: list[str], problem: str) -> None:
    message = mail.send(7)
    with pytest.raises(CommandError, match=problem):
        tasks("requeue", message.message_id, *more)


def test_unknown_run_cannot_have_other_arguments() -> None:
    with pytest.raises(UnknownRun):
        control.requeue_with(str(uuid4()), by="ann", args=[])


@pytest.mark.parametrize("verb", ["requeue", "cancel"])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_command_fails_for_ids_that_it_leaves_alone(verb: str, dry: list[str]) -> None:
    message, unknown = mail.send(7, "ann"), str(uuid4())
    with pytest.raises(SystemExit) as ended:
        tasks(verb, message.message_id, unknown, *dry)
    assert ended.value.code == 1
    why = control.refused(verb, [message.message_id, unknown])
    assert why[message.message_id].startswith("is succeeded: ")
    assert why[unknown] == "is the id of no run"


def test_command_takes_ids_or_a_filter_or_all() -> None:
    for given in (["--all", "--state", "dead"], [str(uuid4()), "--all"]):
        with pytest.raises(CommandError, match="Give ids, or a filter"):
            tasks("requeue", *given)
