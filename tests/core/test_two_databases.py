"""Aliases that keep their runs in another database than the caller's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connections, transaction

from core import Message, WrongDatabase, actor, brokers, group, pipeline, send_many

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "second"])


@actor(actor_name="test.databases.note")
def note(number: int = 0) -> None:
    """Do nothing."""


@pytest.fixture(scope="module", autouse=True)
def database(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[None]:
    """A second database, which no other test knows."""
    file = {
        "ENGINE": "django.db.backends.sqlite3",
        "OPTIONS": {},
        "NAME": str(tmp_path_factory.mktemp("second") / "db.sqlite3"),
    }
    django_settings.DATABASES["second"] = django_settings.DATABASES["default"] | file
    with django_db_blocker.unblock():
        call_command("migrate", database="second", verbosity=0)
        yield
        connections["second"].close()
    del connections["second"], django_settings.DATABASES["second"]


@pytest.fixture
def second(transactional_db: None, settings: Any) -> Iterator[str]:
    """An alias, and its database of the same name."""
    alias = settings.BROKERS["default"] | {"DATABASE": "second"}
    settings.BROKERS = settings.BROKERS | {"second": alias}
    yield "second"
    brokers["second"].worker_stopped()
    brokers.forget("second")


def there() -> Message[Any]:
    return note.message_with_options(broker="second")


WAYS: dict[str, Callable[[], Any]] = {
    "send": lambda: note.using(broker="second").send(),
    "direct": lambda: note.using(broker="second", durable=False).send(),
    "keyed": lambda: note.using(broker="second", idempotency_key="a key").send(),
    "send_many": lambda: send_many([there()]),
    "pipeline": lambda: pipeline([there(), there()]).run(),
    "group": lambda: group([there()]).run(),
}


@pytest.mark.parametrize("way", WAYS)
def test_send_inside_the_transaction_of_another_database_is_refused(
    second: str, way: str
) -> None:
    with transaction.atomic(), pytest.raises(WrongDatabase, match="'second', but"):
        WAYS[way]()


@pytest.mark.parametrize("way", WAYS)
def test_send_inside_transactions_of_both_databases_is_allowed(
    second: str, way: str
) -> None:
    with transaction.atomic(), transaction.atomic(using=second):
        WAYS[way]()


def test_messages_of_two_databases_are_sent_at_once(second: str) -> None:
    sent = send_many([note.message(1), there(), note.message(2)])
    assert [message.status() for message in sent] == ["succeeded"] * 3


def test_run_in_this_process_leaves_the_transaction_of_its_sender_open(
    second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        # Older than CONN_MAX_AGE: between two messages it would be closed.
        monkeypatch.setattr(connections["default"], "close_at", 0.0)
        kept = note.send()
        with transaction.atomic(using=second):
            there_at_once = note.using(broker=second).send()
        assert there_at_once.status() == "succeeded"
    assert kept.status() == "succeeded"
