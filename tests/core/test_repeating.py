"""`assert_safe_to_repeat` finds bodies that are not, before production does."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import TransactionTestCase

from core import Message, actor, current_run, effect
from core.models import AuditEntry, Run
from core.testing import TaskTestMixin, assert_safe_to_repeat
from tests.conformance.models import Effect

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


REST = {"run_id": "", "attempt": 0, "pid": 0}


def add(key: str) -> None:
    Effect.objects.create(key=key, **REST)


def write(message_id: str | None = None) -> None:
    headers = {"Message-ID": message_id} if message_id else {}
    EmailMessage("Hello", "you", to=["ann@example.org"], headers=headers).send()


@actor(actor_name="test.repeating.follows", max_retries=0)
def follows() -> None:
    """Do nothing."""


@actor(actor_name="test.repeating.adds", max_retries=0)
def adds(key: str) -> None:
    add(key)


@actor(actor_name="test.repeating.looks_first", max_retries=0)
def looks_first(key: str) -> None:
    Effect.objects.get_or_create(key=key, defaults=REST)


@actor(actor_name="test.repeating.whole", max_retries=0, atomic=True)
def whole(key: str) -> None:
    add(key)
    add(key)


@actor(actor_name="test.repeating.ends_atomic", max_retries=0)
def ends_atomic(key: str) -> None:
    Effect.objects.filter(key=key).exists()
    with current_run().atomic():
        add(key)
        follows.send()


@actor(actor_name="test.repeating.two_blocks", max_retries=0)
def two_blocks(key: str) -> None:
    with transaction.atomic():
        add(key)
    with transaction.atomic():
        add(f"{key} again")


@actor(actor_name="test.repeating.half_done", max_retries=0)
def half_done(key: str) -> None:
    if not Effect.objects.filter(key=key).exists():
        add(key)
        add(f"{key} again")


@actor(actor_name="test.repeating.sends", max_retries=0)
def sends(key: str) -> None:
    follows.send()


@actor(actor_name="test.repeating.mails", max_retries=0)
def mails(key: str) -> None:
    write()


@actor(actor_name="test.repeating.mails_by_effect", max_retries=0)
def mails_by_effect(key: str) -> None:
    effect("hello", lambda given: write(f"<{given}@example.org>"))
    with current_run().atomic():
        add(key)


@actor(actor_name="test.repeating.swallows", max_retries=0)
def swallows(key: str) -> None:
    try:
        add(key)
    except Exception:
        add(f"{key} failed")


@actor(actor_name="test.repeating.trips", max_retries=0)
def trips(key: str) -> None:
    """Fail the second time, when its row is there."""
    if Effect.objects.filter(key=key).exists():
        raise RuntimeError("there already")
    add(key)


@pytest.mark.parametrize("body", [looks_first, whole, ends_atomic, mails_by_effect])
def test_body_that_may_run_twice_passes_and_logs_nothing(
    body: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert_safe_to_repeat(body, "a")
    assert caplog.text == ""


#: A body that must not, the step after which it shows, and what is there then.
UNSAFE = [
    (adds, "After step 1, INSERT INTO", "2 instead of 1 of"),
    (two_blocks, "After step 1, INSERT INTO", "2 instead of 1 of"),
    (half_done, "After step 1, INSERT INTO", "0 instead of 1 of"),
    (sends, "After step 1, INSERT INTO", "message: 2 instead of 1 of test.repeating."),
    (mails, "After step 1, mail to ann@example.org", "mail: 2 instead of 1 of 'Hello'"),
    (swallows, "After step 1, INSERT INTO", "2 instead of 1 of"),
    (trips, "After step 1, INSERT INTO", "the second run is dead"),
]


@pytest.mark.parametrize(("body", "step", "says"), UNSAFE)
def test_body_that_must_not_run_twice_is_found(body: Any, step: str, says: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_safe_to_repeat(body, "a")
    told = str(caught.value)
    assert told.startswith(f"{body.actor_name} is not safe to run twice.\n")
    assert step in told
    assert says in told


def test_rows_are_as_before_and_nothing_is_left() -> None:
    add("mine")
    pk = Effect.objects.get().pk
    waiting = follows.using(delay=60_000).send()
    mail.outbox = [EmailMessage("mine")]
    for body in (looks_first, adds):
        try:
            assert_safe_to_repeat(body, "a")
        except AssertionError:
            assert body is adds
        assert [(one.pk, one.key) for one in Effect.objects.all()] == [(pk, "mine")]
        assert [str(one.pk) for one in Run.objects.all()] == [waiting.message_id]
        assert [one.subject for one in mail.outbox] == ["mine"]
    assert Message.get(waiting.message_id).status() == "pending"
    assert not AuditEntry.objects.exists()


def test_body_that_fails_anyway_is_told() -> None:
    add("a")
    with pytest.raises(RuntimeError, match="there already"):
        assert_safe_to_repeat(trips, "a")


class FromUnittest(TaskTestMixin, TransactionTestCase):
    def test_mixin_checks_safe_to_repeat(self) -> None:
        self.assertSafeToRepeat(looks_first, "a")
        with pytest.raises(AssertionError, match="not safe to run twice"):
            self.assertSafeToRepeat(adds, key="a")


@pytest.mark.django_db(transaction=False)
def test_open_transaction_is_refused_with_the_mend() -> None:
    with (
        transaction.atomic(),
        pytest.raises(AssertionError, match="use a TransactionTestCase"),
    ):
        assert_safe_to_repeat(looks_first, "a")
