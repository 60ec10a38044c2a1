"""What a test run and its worker processes agree on, in environment variables.

Django reads its settings before any fixture runs: ports are chosen here, and a server
is started on its port only when a test asks for it. `settings.test` calls `prepare`;
in a process that a test starts, all is chosen already.
"""

import atexit
import fcntl
import itertools
import os
import random
import shutil
import socket
import tempfile
from collections.abc import MutableMapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from settings.databases import sqlite_url

#: Below the ports that the system gives to outgoing connections: a port stays free
#: from the moment it is chosen until its server starts.
PORTS = range(15_000, 32_000)
#: A run has so many of them for itself.
BLOCK = 100

#: The alias of the backend that `pytest --backend` names.
YOURS = "yours"


class Ports:
    """A block of ports that no other run on this machine chooses from meanwhile."""

    def __init__(self) -> None:
        folder = Path(tempfile.gettempdir(), "switchyard-ports")
        folder.mkdir(exist_ok=True)
        starts = PORTS[::BLOCK]
        for start in random.sample(starts, len(starts)):
            self._lock = (folder / str(start)).open("w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                continue
            self._all = itertools.cycle(range(start, start + BLOCK))
            self._kept: set[int] = set()
            return
        raise OSError(f"Every block of ports is locked; see {folder}")

    def free(self) -> int:
        """Return one that nobody listens on; each in its turn."""
        for port in itertools.islice(self._all, BLOCK):
            if port not in self._kept and _is_free(port):
                return port
        raise OSError("Every port of this run's block is in use")

    def keep(self) -> int:
        """Return one that is not given away again, though nobody listens yet."""
        port = self.free()
        self._kept.add(port)
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@cache
def _ports() -> Ports:
    """Return this process's block, locked for as long as it lives."""
    return Ports()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    return _ports().free()


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
    """Choose ports, namespace and database, unless our parent process has.

    Each process of pytest-xdist chooses its own.
    """
    chooser = os.environ.get("PYTEST_XDIST_WORKER", "")
    if os.environ.get("TEST_CHOOSER") == chooser:
        return
    run = Path(tempfile.mkdtemp(prefix="switchyard-test-"))
    atexit.register(_remove, run, os.getpid())
    os.environ.update(
        TEST_CHOOSER=chooser,
        TEST_RUN=str(run),
        TEST_NAMESPACE=run.name,
        TEST_VALKEY_URL=f"redis://127.0.0.1:{_ports().keep()}/0",
        TEST_RABBITMQ_URL=f"amqp://guest:guest@127.0.0.1:{_ports().keep()}/",
        TEST_SMTP_URL=f"smtp://127.0.0.1:{_ports().keep()}",
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
        return f"postgres://postgres@127.0.0.1:{_ports().keep()}/postgres"
    raise ValueError(f"TEST_DATABASE is {choice!r}; it must be sqlite or postgres.")


def _remove(run: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(run, ignore_errors=True)
