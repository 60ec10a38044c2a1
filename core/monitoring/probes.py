"""Probes: is the worker of this host alive, is all there that it needs."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor

from core.broker.handler import brokers as configured
from core.models import Worker
from core.monitoring.aliases import brokers
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Check(Snapshot):
    """One thing that is well, or not."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health(Snapshot):
    """All that was looked at."""

    ok: bool
    checks: tuple[Check, ...]


def liveness(broker: str = "default", host: str = "") -> Health:
    """Return whether a worker of this host holds its lease. One query, and no broker.

    A database that is down is no reason to restart a worker: it goes on by itself.
    """
    host = host or socket.gethostname()
    name = f"worker {broker} on {host}"
    try:
        database = configured[broker].database
        found = Worker.alive(database, broker).filter(host=host).exists()
    except Error as error:
        return _health(Check(name, True, f"not known, the database is away: {error}"))
    return _health(Check(name, found, "" if found else "no lease holds"))


def readiness(broker: str = "default") -> Health:
    """Return whether the database, its tables and the broker of an alias are there."""
    database = configured[broker].database
    steps: list[Callable[[str], Check]] = [_database, _migrations]
    checks = [step(database) for step in steps]
    (asked,) = brokers(broker)
    checks.append(Check(f"broker {broker}", asked.up, asked.error))
    return _health(*checks)


def _health(*checks: Check) -> Health:
    return Health(all(check.ok for check in checks), checks)


def _database(database: str) -> Check:
    try:
        with connections[database].cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, ImproperlyConfigured) as error:
        return Check(f"database {database}", False, str(error).strip())
    return Check(f"database {database}", True)


def _migrations(database: str) -> Check:
    name = f"migrations {database}"
    try:
        missing = list(_missing(database))
    except Error as error:
        return Check(name, False, str(error).strip())
    told = f"not applied: {', '.join(missing)}; run manage.py migrate"
    return Check(name, not missing, told if missing else "")


def _missing(database: str) -> Iterator[str]:
    executor = MigrationExecutor(connections[database])
    targets = executor.loader.graph.leaf_nodes()
    for migration, _ in executor.migration_plan(targets):
        yield f"{migration.app_label}.{migration.name}"
