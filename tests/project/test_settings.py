"""A mistake in an environment variable stops the start, with the variable's name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from settings.brokers import LONGEST_SOCKET, backend, embedded_socket
from settings.databases import database, sqlite_url
from settings.environment import Environment

PROJECT = Path(__file__).parents[2]
PRODUCTION = {
    "SECRET_KEY": "a key",
    "ALLOWED_HOSTS": "shop.example.org",
    "DATABASE_URL": "postgres://user:password@localhost/shop",
    "BROKER_URL": "amqp://localhost/",
    "EMAIL_URL": "smtp://localhost:25",
}


def load(module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Load settings in a process that has only these variables."""
    return subprocess.run(
        [sys.executable, "-c", f"import {module} as s; print(s.BROKERS['default'])"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
    )


def test_nothing_need_be_set_for_a_first_run() -> None:
    loaded = load("settings.dev", {})
    assert "backends.celery.CeleryBackend" in loaded.stdout
    assert "'unix://" in loaded.stdout


def test_unknown_engine_is_refused_with_the_known_ones() -> None:
    loaded = load("settings.dev", {"TASK_BACKEND": "sellery"})
    expected = (
        "TASK_BACKEND is 'sellery'; it must be one of"
        " celery, dramatiq, database, inprocess."
    )
    assert expected in loaded.stderr


@pytest.mark.parametrize("name", ["celery", "dramatiq", "database", "inprocess"])
def test_engine_is_one_setting(name: str) -> None:
    assert load("settings.dev", {"TASK_BACKEND": name}).stdout.count(backend(name)) == 1


def test_without_a_broker_no_url_is_asked_for_and_a_left_one_is_no_mistake() -> None:
    given = PRODUCTION | {"TASK_BACKEND": "database"}
    for loaded in (
        load("settings.prod", given),
        load("settings.prod", {k: v for k, v in given.items() if k != "BROKER_URL"}),
    ):
        assert "'URL': ''" in loaded.stdout


def test_production_starts_with_everything_given() -> None:
    assert "amqp://localhost/" in load("settings.prod", PRODUCTION).stdout


def test_unknown_format_of_the_log_is_refused_with_the_known_ones() -> None:
    loaded = load("settings.dev", {"LOG_FORMAT": "jason"})
    expected = "LOG_FORMAT is 'jason'; it must be one of line, key-value, json."
    assert expected in loaded.stderr


@pytest.mark.parametrize("missing", PRODUCTION)
def test_production_does_not_start_without(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    loaded = load("settings.prod", given)
    assert f"Set these environment variables: {missing}." in loaded.stderr


def test_production_names_all_that_is_missing_at_once() -> None:
    said = load("settings.prod", {}).stderr
    (line,) = [one for one in said.splitlines() if "Set these" in one]
    assert all(name in line for name in PRODUCTION)


@pytest.mark.parametrize("word", ["ture", "nope", "2"])
def test_misspelt_boolean_is_no_false(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", word)
    with pytest.raises(ImproperlyConfigured, match=f"DEBUG is '{word}'"):
        Environment().bool("DEBUG", default=True)


def test_empty_variable_differs_from_an_unset_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BROKER_URL", "")
    with pytest.raises(ImproperlyConfigured, match="BROKER_URL is empty"):
        Environment().str("BROKER_URL", default="redis://localhost")


def test_bad_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_HSTS_SECONDS", "an hour")
    with pytest.raises(ImproperlyConfigured, match="SECURE_HSTS_SECONDS: "):
        Environment().int("SECURE_HSTS_SECONDS")


@pytest.mark.parametrize("url", ["postgress://user:secret@host/name", "nonsense"])
def test_unknown_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL begins with") as error:
        database(url)
    assert "secret" not in str(error.value)


def test_any_path_of_the_project_will_do(tmp_path: Path) -> None:
    file = tmp_path / "a b+c#d?e%41" / "db.sqlite3"
    assert database(sqlite_url(file))["NAME"] == str(file)


def test_socket_of_a_deep_project_has_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path / ("deep/" * 30)
    socket = embedded_socket(deep)
    assert len(str(socket)) <= LONGEST_SOCKET
    assert socket == embedded_socket(deep)
    assert socket != embedded_socket(deep / "other")
