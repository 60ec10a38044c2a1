"""What `manage.py check` says of a project's tasks; none of it asks a broker."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from core.errors import CoreError
from core.handler import brokers
from core.options import Options
from core.registry import registry

#: What every database is whose SQL the state machine speaks, at the end of its name.
ENGINES = ("sqlite3", "spatialite", "postgresql", "postgis")
#: manage.py check --tag switchyard
TAG = "switchyard"
LOCAL = ("", "localhost", "127.0.0.1", "::1")
CALLBACKS = ("on_success", "on_failure", "on_retry_exhausted")


def check_brokers(**_: Any) -> Sequence[CheckMessage]:
    """Say which aliases cannot be built, and why."""
    return list(_check_brokers())


def _check_brokers() -> Iterator[CheckMessage]:
    if "default" not in settings.BROKERS:
        yield Error(
            "BROKERS has no alias 'default'.",
            hint="Actors without a `broker` option use it.",
            id="switchyard.E001",
        )
    for alias in brokers:
        try:
            database = brokers[alias].database
        except CoreError as error:
            yield Error(str(error), id="switchyard.E002")
            continue
        engine = settings.DATABASES[database]["ENGINE"]
        if not engine.endswith(ENGINES):
            yield Error(
                f"BROKERS[{alias!r}]: DATABASE: {database!r} is {engine}.",
                hint="Runs are kept in PostgreSQL or SQLite.",
                id="switchyard.E003",
            )


def check_actors(**_: Any) -> Sequence[CheckMessage]:
    """Say which actors name what is not there."""
    return list(_check_actors())


def _check_actors() -> Iterator[CheckMessage]:
    names = {actor.actor_name for actor in registry}
    for actor in registry:
        alias = actor.options.get("broker", Options().broker)
        if alias not in settings.BROKERS:
            yield Error(
                f"{actor.actor_name}: broker={alias!r} is not in BROKERS.",
                hint=f"There are {', '.join(sorted(settings.BROKERS))}.",
                obj=actor.source,
                id="switchyard.E004",
            )
        for option in CALLBACKS:
            called = actor.options.get(option)
            if called is not None and called not in names:
                yield Warning(
                    f"{actor.actor_name}: {option}={called!r} is no declared actor.",
                    hint="Its messages wait for a worker that knows it, for an hour.",
                    obj=actor.source,
                    id="switchyard.W001",
                )


def check_deployment(**_: Any) -> Sequence[CheckMessage]:
    """Say what must not be so where others rely on it."""
    found = [warning for alias in brokers for warning in _check_alias(alias)]
    key = settings.SECRET_KEY
    if len(key) < 50 or key.startswith("django-insecure-"):
        found.append(
            Warning(
                "SECRET_KEY is short or a generated default.",
                hint="It signs every message: who knows it can have any run repeated.",
                id="switchyard.W101",
            )
        )
    return found


def _check_alias(alias: str) -> Iterator[CheckMessage]:
    config = settings.BROKERS[alias]
    where = f"BROKERS[{alias!r}]"
    if config.get("BACKEND", "").endswith("InProcessBackend"):
        yield Warning(
            f"{where} runs tasks in the process that sends them.",
            hint="Choose Celery or Dramatiq: a request would wait for its tasks.",
            id="switchyard.W102",
        )
    parts = urlsplit(str(config.get("URL", "")))
    if parts.hostname and parts.hostname not in LOCAL and not parts.password:
        yield Warning(
            f"{where}: URL: {parts.hostname} is asked without a password.",
            hint="Messages are signed, but anyone could drop them or read direct ones.",
            id="switchyard.W103",
        )
    database = settings.DATABASES.get(config.get("DATABASE", "default"), {})
    if str(database.get("ENGINE", "")).endswith("sqlite3"):
        yield Warning(
            f"{where} keeps its runs in SQLite.",
            hint="One writer at a time: use PostgreSQL where there is load.",
            id="switchyard.W104",
        )


def register_checks() -> None:
    """Make Django ask these; called once the actors are known."""
    checks: list[tuple[Callable[..., Sequence[CheckMessage]], dict[str, Any]]] = [
        (check_brokers, {}),
        (check_actors, {}),
        (check_deployment, {"deploy": True}),
    ]
    for check, options in checks:
        register(check, TAG, **options)
