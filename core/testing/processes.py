"""Starting a real worker on the test's own database."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from zlib import crc32

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from core.broker.broker import Broker
from core.broker.config import DEFAULTS
from core.broker.handler import brokers
from core.models import Worker

#: Seconds for a worker to be up.
START_SECONDS = 60
#: Seconds, beyond its own TIMING, for a worker to stop.
SPARE_SECONDS = 10


@contextmanager
def running_worker(
    broker: str = "default", *, processes: int = 1, threads: int = 2
) -> Iterator[None]:
    """Run `manage.py worker` for an alias; what a test has not committed it cannot see.

    From its first call on, this process sends to queues of its own at that broker: a
    worker of yours on the same broker, or of another test process, takes nothing away.

    Raises `ImproperlyConfigured`: a database is in memory, where no other process is.
    """
    names = _names()
    space = _own_namespace(broker, names[brokers[broker].database])
    carrier = brokers[broker]
    command = [sys.executable, "-m", "core.testing.worker"]
    command += ["--databases", json.dumps(names)]
    command += ["--namespaces", json.dumps({broker: space})]
    command += ["worker", f"--broker={broker}"]
    command += [f"--processes={processes}", f"--threads={threads}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603  # our own command line
            command,
            env=_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait(carrier, process, processes, log)
            yield
        finally:
            _stop(process, carrier.outbox.timing.stop + SPARE_SECONDS)


def _names() -> dict[str, str]:
    """Return the names that Django's test runner gave to the databases."""
    for connection in connections.all():
        if isinstance(connection, DatabaseWrapper) and connection.is_in_memory_db():
            raise ImproperlyConfigured(
                f"DATABASES[{connection.alias!r}]: a worker is another process and"
                " cannot see a database in memory: give it a file in TEST['NAME']."
            )
    return {c.alias: str(c.settings_dict["NAME"]) for c in connections.all()}


def _own_namespace(alias: str, database: str) -> str:
    """Return the namespace of this test database, which the alias has from now on."""
    config = settings.BROKERS[alias]
    given = str(config.get("NAMESPACE", DEFAULTS["NAMESPACE"]))
    suffix = f"-test-{crc32(database.encode()):08x}"
    own = given if given.endswith(suffix) else given + suffix
    if own != given:
        settings.BROKERS[alias] = {**config, "NAMESPACE": own}
        brokers.forget(alias)
    return own


def _environment() -> dict[str, str]:
    """Return what lets the worker import what this process can, and no more."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


def _wait(
    broker: Broker,
    process: "subprocess.Popen[bytes]",
    processes: int,
    log: IO[bytes],
) -> None:
    deadline = time.monotonic() + START_SECONDS
    expected = processes if broker.backend.supports_worker else 0
    mine = Worker.alive(broker.database, broker.alias).filter(
        threads__gt=0, supervisor__startswith=f"{process.pid}-"
    )
    while mine.count() < expected:
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            said = log.read().decode(errors="replace")[-3000:]
            raise RuntimeError(f"The worker of {broker.alias!r} is not up:\n{said}")
        time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
