"""One combination of engine and broker with its real worker processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import Actor, Message, brokers
from core.broker import Broker
from core.models import Worker
from tests.conformance.models import Effect, Gate
from tests.services.server import guard
from tests.services.waiting import wait_for

#: Promised deadlines are asserted so many times as wide; `make faults` asserts them.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "3"))
#: The longest that a request may take, s.
ANSWERED = 0.3 * PATIENCE
#: Everything is done so soon after the broker's return, s.
DONE = 10 * PATIENCE
#: A run whose worker was killed completes within so many seconds.
RECOVERED = 30 * PATIENCE

PROJECT = Path(__file__).parents[2]
PROCESSES = 2
THREADS = 4


@dataclass
class Stack:
    """What a promise is tried on."""

    alias: str
    service: Any  # the broker's server; None without one
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def broker(self) -> Broker:
        return brokers[self.alias]

    @property
    def has_worker(self) -> bool:
        return self.broker.backend.supports_worker

    def send(self, actor: Actor[..., Any], *args: Any, **options: Any) -> Message:
        return actor.send_with_options(args=args, broker=self.alias, **options)

    def finish(self, message: Message, seconds: float = 30) -> str:
        """Wait for the message's end and return its state."""
        ends = ("succeeded", "dead", "cancelled")
        try:
            wait_for(lambda: message.status() in ends, seconds, str(message))
        except TimeoutError as error:
            raise AssertionError(
                f"{error}, but {message.status()}\n{self.tail()}"
            ) from None
        return message.status()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def workers(self) -> list[Worker]:
        """Return this stack's own; another one may serve the same alias."""
        mine = Worker.alive("default", self.alias).filter(slots__gt=0)
        supervisor = f"{self.process.pid}-" if self.process else ""
        return list(mine.filter(supervisor__startswith=supervisor))

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its worker processes."""
        return {**os.environ, **self.environment}

    def command(self, *options: str) -> list[str]:
        """Return the command line of a worker."""
        worker = [sys.executable, "manage.py", "worker", f"--broker={self.alias}"]
        return [*worker, *options]

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Start `manage.py worker` and stop it at the end."""
        command = self.command(f"--processes={PROCESSES}", f"--threads={THREADS}")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        watch = guard(self.process.pid)
        try:
            if self.has_worker:
                up = lambda: len(self.workers()) == PROCESSES  # noqa: E731  # a condition
                wait_for(up, 60, f"workers of {self.alias} are up\n{self.tail()}")
            yield self
        finally:
            self.process.terminate()
            self.process.wait(40)
            watch.communicate(b"\n")


def effects(key: str) -> int:
    return Effect.objects.filter(key=key).count()


def open_gate(key: str) -> None:
    Gate.objects.create(key=key)
