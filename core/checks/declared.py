"""Checks of a project's aliases and actors; they ask no broker."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from core.broker.handler import brokers
from core.errors import BrokerConfigError, CoreError
from core.interface.declarations import declared
from core.registry import registry

#: What every database is whose SQL the state machine speaks, at the end of its name.
ENGINES = ("sqlite3", "spatialite", "postgresql", "postgis")
CALLBACKS = ("on_success", "on_failure", "on_retry_exhausted")


def check_brokers(**_: Any) -> Sequence[CheckMessage]:
    """Report aliases that cannot be built."""
    return list(_check_brokers())


def _check_brokers() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        yield Error(
            "USE_TZ is False.",
            hint="Set it to True: times without a zone happen twice in one night of the"
            " year, and what is due then would start at the wrong one.",
            id="switchyard.E006",
        )
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
    """Report actors that name something missing."""
    return list(_check_actors())


def _check_actors() -> Iterator[CheckMessage]:
    names = {actor.actor_name for actor in registry}
    for actor in registry:
        # That "default" is missing is told once, and not of each actor.
        alias = actor.options.get("broker")
        if alias is not None and alias not in settings.BROKERS:
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


def check_schedules(**_: Any) -> Sequence[CheckMessage]:
    """Report invalid schedules of the code and the settings."""
    try:
        declared()
    except BrokerConfigError:  # told by `check_brokers`
        return []
    except CoreError as error:
        return [Error(str(error), id="switchyard.E005")]
    return []
