"""A connection to another database that has died between two runs of a thread."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import ConnectionHandler, OperationalError, connections

from core.worker.transactions import refresh
from settings.databases import database
from tests.services.postgres import Postgres

#: It keeps no runs.
ALIAS = "elsewhere"


@pytest.fixture
def elsewhere(postgres: Postgres, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Another database of the project; return its settings."""
    there = django_settings.DATABASES["default"] | database(postgres.url)
    django_settings.DATABASES[ALIAS] = there
    with django_db_blocker.unblock():
        yield there
        connections[ALIAS].close()
    del connections[ALIAS], django_settings.DATABASES[ALIAS]


def ask(sql: str = "SELECT pg_backend_pid()", *given: int) -> Any:
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchone()[0]


def cut(pid: int) -> None:
    """End a session as its server does that restarts."""
    other = ConnectionHandler({"default": django_settings.DATABASES[ALIAS]})["default"]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def test_connection_on_which_a_body_failed_is_opened_anew(elsewhere: Any) -> None:
    cut(ask())
    with pytest.raises(OperationalError):
        ask()
    refresh("default")
    assert ask("SELECT 1") == 1


def test_connection_that_died_unused_is_opened_anew_with_health_checks(
    elsewhere: Any,
) -> None:
    elsewhere["CONN_HEALTH_CHECKS"] = True
    first = ask()
    cut(first)
    refresh("default")
    assert ask() != first
