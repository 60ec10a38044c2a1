"""SQLite's one lock: who sends is not overtaken by everyone who works."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

from core import actor, group, send_many
from core.databases.locks import wait_less
from core.models import Run
from tests.conformance.stacks import ANSWERED
from tests.services.waiting import in_time

pytestmark = pytest.mark.django_db(transaction=True)

#: So many write, hold the lock so long, and then pause so long, s.
WRITERS, HELD, FREE = 16, 0.005, 0.02


@actor(actor_name="test.locks.note", broker="celery_valkey")
def note() -> None:
    """Do nothing; no worker does it either."""


def writer() -> sqlite3.Connection:
    return sqlite3.connect(
        connection.settings_dict["NAME"], timeout=20, isolation_level=None
    )


def write(until: threading.Event) -> None:
    own = writer()
    while not until.wait(FREE):
        own.execute("BEGIN IMMEDIATE")
        time.sleep(HELD)
        own.execute("COMMIT")
    own.close()


@pytest.fixture
def busy() -> Iterator[None]:
    """A database in which others write nearly all the time."""
    end = threading.Event()
    writers = [threading.Thread(target=write, args=[end]) for _ in range(WRITERS)]
    for thread in writers:
        thread.start()
    yield
    end.set()
    for thread in writers:
        thread.join()


WAYS: dict[str, Callable[[], Any]] = {
    "send": note.send,
    "keyed": lambda: note.using(unique_key="a key").send(),
    "send_many": lambda: send_many([note.message(), note.message()]),
    "group": lambda: group([note.message(), note.message()]).run(),
}


@pytest.mark.parametrize("way", WAYS)
def test_send_is_not_overtaken_by_all_who_write(busy: None, way: str) -> None:
    longest = 0.0
    for _ in range(40):
        start = time.monotonic()
        WAYS[way]()
        longest = max(longest, time.monotonic() - start)
    in_time(longest, ANSWERED, "each send returns")


def test_send_waits_no_longer_than_its_connection_may() -> None:
    wait_less("default", 0.1)
    other = writer()
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        note.send()
    other.execute("COMMIT")
    note.send()
    assert Run.objects.count() == 1
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (100,)
    connection.close()
