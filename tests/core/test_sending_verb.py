"""manage.py tasks send: a message to an actor, by its name."""

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from core import InvalidOption, UnknownActor, UnknownOption, actor, control
from core.models import AuditEntry, Run
from tests.core.verbs import tasks, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NAME = "test.sending.greet"


@actor(actor_name=NAME, queue_name="greetings")
def greet(name: str, *, loud: bool = False) -> None:
    """Do nothing."""


@pytest.mark.usefixtures("sent")
def test_message_is_sent_as_from_code_and_audited() -> None:
    line = ["--args", '["Ann"]', "--kwargs", '{"loud": true}']
    found = told("send", NAME, *line, "--options", '{"delay": 60000}')
    run = Run.objects.get(pk=found["id"])
    assert found["created"]
    assert (run.args, run.kwargs, run.queue_name) == (
        ["Ann"],
        {"loud": True},
        "greetings",
    )
    assert run.due_at > timezone.now() + timedelta(seconds=30)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.target, entry.changed) == ("send", NAME, 1)
    assert entry.by.startswith("command line: ")


@pytest.mark.usefixtures("sent")
def test_same_key_is_the_message_that_was_sent_before() -> None:
    line = ["send", NAME, "--args", '["Ann"]', "--options", '{"idempotency_key": "a"}']
    first, again = told(*line), told(*line)
    assert first["id"] == again["id"]
    assert not again["created"]
    assert "Sent before, under the same key: " in tasks(*line)
    changed = AuditEntry.objects.order_by("pk").values_list("changed", flat=True)
    assert list(changed) == [1, 0, 0]


#: A line, and what it is answered with.
REFUSED = [
    ([NAME[:-1]], f"Did you mean '{NAME}'?"),
    ([NAME], "missing a required argument: 'name'"),
    ([NAME, "--args", '["Ann", "Bo"]'], "too many positional arguments"),
    ([NAME, "--args", '{"name": "Ann"}'], "is no JSON"),
    ([NAME, "--args", "[Ann]"], "is no JSON"),
    ([NAME, "--kwargs", '["Ann"]'], "is no JSON"),
    ([NAME, "--args", '["Ann"]', "--options", '{"prioritty": 1}'], "'priority'?"),
    ([NAME, "--args", '["Ann"]', "--options", '{"delay": -1}'], "delay"),
    ([NAME, "--args", '["Ann"]', "--options", '{"args": []}'], "option 'args'"),
    ([NAME, "--args", '["Ann"]', "--options", '{"broker": "no"}'], "'no'"),
]


@pytest.mark.parametrize(("line", "says"), REFUSED)
def test_wrong_line_is_refused_and_sends_nothing(line: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        tasks("send", *line)
    assert says in str(caught.value)
    assert not Run.objects.exists()
    assert not AuditEntry.objects.exists()


def test_control_send_raises_what_is_wrong() -> None:
    with pytest.raises(UnknownActor):
        control.send("nobody", by="me")
    with pytest.raises(UnknownOption):
        control.send(NAME, ["Ann"], options={"prioritty": 1}, by="me")
    with pytest.raises(InvalidOption):
        control.send(NAME, ["Ann"], by="")
    assert not Run.objects.exists()
