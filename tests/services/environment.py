"""What a test run and its worker processes agree on, in environment variables.

Django reads its settings before any fixture runs: ports are chosen here, and a server
is started on its port only when a test asks for it. `settings.test` calls `prepare`;
in a process that a test starts, all is chosen already.
"""

import atexit
import os
import random
import shutil
import socket
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from settings.databases import sqlite_url

#: Below the ports that the system gives to outgoing connections: a port stays free
#: from the moment it is chosen until its server starts.
PORTS = range(15_000, 32_000)

#: The alias of the backend that `pytest --backend` names.
YOURS = "yours"


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"No free port found between {PORTS.start} and {PORTS.stop}")


def port_of(variable: str) -> int:
    """Return the port in the URL that an environment variable holds."""
    port = urlsplit(os.environ[variable]).port
    if port is None:
        raise ValueError(f"{variable} has no port: {os.environ[variable]!r}")
    return port


def on_postgres() -> bool:
    """Say whether Django's database is a server."""
    return os.environ["TEST_DATABASE_URL"].startswith("postgres:")


def prepare() -> None:
    """Choose ports, namespace and database, unless our parent process has."""
    if "TEST_RUN" in os.environ:
        return
    run = Path(tempfile.mkdtemp(prefix="switchyard-test-"))
    atexit.register(_remove, run, os.getpid())
    os.environ.update(
        TEST_RUN=str(run),
        TEST_NAMESPACE=run.name,
        TEST_VALKEY_URL=f"redis://127.0.0.1:{free_port()}/0",
        TEST_RABBITMQ_URL=f"amqp://guest:guest@127.0.0.1:{free_port()}/",
        TEST_SMTP_URL=f"smtp://127.0.0.1:{free_port()}",
        TEST_DATABASE_URL=_database(run),
        TEST_MEDIA_ROOT=str(run / "media"),
    )


def add_yours(brokers: MutableMapping[str, dict[str, Any]]) -> None:
    """Put the backend that `pytest --backend` names, if any, into BROKERS."""
    if "TEST_BACKEND" in os.environ:
        brokers[YOURS] = {
            **brokers["default"],
            "BACKEND": os.environ["TEST_BACKEND"],
            "URL": os.environ["TEST_BACKEND_URL"],
        }


def _database(run: Path) -> str:
    """Return the URL of the database that TEST_DATABASE asks for."""
    choice = os.environ.get("TEST_DATABASE", "sqlite")
    if choice == "sqlite":
        return sqlite_url(run / "db.sqlite3")
    if choice == "postgres":
        return f"postgres://postgres@127.0.0.1:{free_port()}/postgres"
    raise ValueError(f"TEST_DATABASE is {choice!r}; it must be sqlite or postgres.")


def _remove(run: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(run, ignore_errors=True)
