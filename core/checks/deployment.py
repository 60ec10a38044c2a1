"""Checks of `check --deploy`: what must not be so in production."""

import threading
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from core.backend import CONCERN_SECONDS, Concern
from core.broker.handler import brokers
from core.errors import BrokerConfigError, BrokerUnavailable
from core.options import Options
from core.registry import registry

LOCAL = ("", "localhost", "127.0.0.1", "::1")
#: What is read by whoever listens, and what is not.
ENCRYPTED = {"redis": "rediss", "amqp": "amqps"}


def check_deployment(**_: Any) -> Sequence[CheckMessage]:
    """Report settings that are unsafe in production."""
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
    if settings.DEBUG:
        found.append(
            Warning(
                "DEBUG is on.",
                hint="Turn it off: its error pages show settings and local variables.",
                id="switchyard.W108",
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
    yield from _check_url(where, str(config.get("URL", "")))
    database = settings.DATABASES.get(config.get("DATABASE", "default"), {})
    if str(database.get("ENGINE", "")).endswith("sqlite3"):
        yield Warning(
            f"{where} keeps its runs in SQLite.",
            hint="One writer at a time: use PostgreSQL where there is load.",
            id="switchyard.W104",
        )


def _check_url(where: str, url: str) -> Iterator[CheckMessage]:
    parts = urlsplit(url)
    if not parts.hostname or parts.hostname in LOCAL:
        return
    if not parts.password:
        yield Warning(
            f"{where}: URL: {parts.hostname} is asked without a password.",
            hint="Messages are signed, but anyone could drop them or read direct ones.",
            id="switchyard.W103",
        )
    if parts.scheme in ENCRYPTED:
        yield Warning(
            f"{where}: URL: {parts.scheme}:// goes to {parts.hostname} in plain text.",
            hint=f"Write {ENCRYPTED[parts.scheme]}://, or the network can read the"
            " password and direct messages.",
            id="switchyard.W107",
        )


def check_servers(**_: Any) -> Sequence[CheckMessage]:
    """Ask each broker for settings that may lose messages; report them."""
    return [warning for alias in brokers for warning in _check_server(alias)]


def _check_server(alias: str) -> Iterator[CheckMessage]:
    where = f"BROKERS[{alias!r}]"
    try:
        for concern in _concerns(alias):
            if concern.only_direct and not _sends_direct(alias):
                continue
            yield Warning(
                f"{where}: {concern.problem}.",
                hint=f"{concern.mend}.",
                id="switchyard.W105",
            )
    except BrokerUnavailable as error:
        yield Warning(
            f"{where} could not be asked how it is set up: {error.problem}",
            hint="Start the broker and check again, from where the workers run.",
            id="switchyard.W106",
        )
    except BrokerConfigError:
        return  # `check_brokers` says so


def _concerns(alias: str) -> list[Concern]:
    """Ask from a thread: no deadline of ours reaches the look-up of a host's name."""
    backend = brokers[alias].backend
    answer: SimpleQueue[list[Concern] | BrokerUnavailable] = SimpleQueue()

    def ask() -> None:
        try:
            answer.put(backend.concerns())
        except BrokerUnavailable as error:
            answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answer.get(timeout=2 * CONCERN_SECONDS)
    except Empty:
        raise BrokerUnavailable(alias, "it did not answer in time") from None
    if isinstance(found, BrokerUnavailable):
        raise found
    return found


def _sends_direct(alias: str) -> bool:
    """Return True if an actor's messages go to this broker without a row."""
    here = brokers[alias].defaults
    return any(
        actor.options.get("broker", Options().broker) == alias
        and not {**here, **actor.options}.get("durable", Options().durable)
        for actor in registry
    )
