"""Checks of the databases that keep the runs; they ask none."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from core.databases import DEADLINES


def check_databases(**_: Any) -> Sequence[CheckMessage]:
    """Report databases that may block a worker for ever or refuse it."""
    brokers: Mapping[str, Mapping[str, Any]] = settings.BROKERS
    aliases = {given.get("DATABASE", "default") for given in brokers.values()}
    return [
        warning
        for alias in sorted(aliases & settings.DATABASES.keys())
        for warning in _check(alias, settings.DATABASES[alias])
    ]


def _check(alias: str, config: Mapping[str, Any]) -> Iterator[CheckMessage]:
    engine, options = str(config.get("ENGINE", "")), config.get("OPTIONS") or {}
    missing = {n: value for n, value in DEADLINES.items() if n not in options}
    if engine.endswith(("postgresql", "postgis")) and missing:
        yield Warning(
            f"DATABASES[{alias!r}]: OPTIONS has no {', '.join(missing)}.",
            hint=f"Add {missing}: a server that has gone without a word would be waited"
            " for until the system gives up, which takes a quarter of an hour.",
            id="switchyard.W002",
        )
    if engine.endswith(("sqlite3", "spatialite")):
        yield from _check_sqlite(alias, options)


def _check_sqlite(alias: str, options: Mapping[str, Any]) -> Iterator[CheckMessage]:
    if options.get("transaction_mode") != "IMMEDIATE":
        yield Warning(
            f"DATABASES[{alias!r}]: OPTIONS has no transaction_mode.",
            hint='Set it to "IMMEDIATE": otherwise a transaction that reads first and'
            ' then writes fails with "database is locked", at once, beside a worker.',
            id="switchyard.W003",
        )
    if "journal_mode" not in str(options.get("init_command", "")):
        yield Warning(
            f"DATABASES[{alias!r}]: OPTIONS: no init_command sets journal_mode.",
            hint='Set it to "PRAGMA journal_mode=WAL;": otherwise everyone who reads'
            " keeps the workers from writing.",
            id="switchyard.W004",
        )
