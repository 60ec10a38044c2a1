"""What a scenario works with: services, the shop on them, workers and customers."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.faults.books import Books
from tests.faults.processes import PROJECT, Crew, Customers, Program
from tests.faults.proxy import Proxy
from tests.faults.sizes import DEAD_AFTER, FULL, PATIENCE, SHORT
from tests.services.smtp import SmtpServer
from tests.services.waiting import wait_for


@dataclass
class Rig:
    """One scenario on one combination, with a database and a namespace of its own."""

    engine: str
    broker: Any  # the server of tests.services
    postgres: Any
    smtp: SmtpServer
    books: Books
    folder: Path
    name: str
    orders: int
    seed: int
    timing: dict[str, float] = field(default_factory=dict)
    #: Promised deadlines are asserted so many times as wide.
    patience: float = PATIENCE
    #: More of the environment of all its processes.
    more: dict[str, str] = field(default_factory=dict)
    #: What the scenario measured, for the table.
    measured: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  # guards nothing
        self.crews: list[Crew] = []
        self.customers: list[Customers] = []
        self.programs: list[Program] = []
        self._ending = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the shop's processes."""
        timing = self.timing if FULL else {**SHORT, **self.timing}
        return {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "TASK_BACKEND": self.engine,
            "BROKER_URL": self.broker.url,
            "DATABASE_URL": self.books.url,
            "EMAIL_URL": self.smtp.url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "NAMESPACE": self.name,
            "FAULTS_TIMING": json.dumps(timing),
            "FAULTS_OPTIONS": json.dumps({} if FULL else {"dead_after": DEAD_AFTER}),
            **self.more,
        }

    def begin(self, more: Mapping[str, str] | None = None, **options: Any) -> Crew:
        """Start workers."""
        log = self.folder / f"worker-{len(self.crews)}.log"
        crew = Crew({**self.environment, **(more or {})}, log, **options)
        self.crews.append(crew)
        self._ending.callback(crew.end)
        return crew

    def work(self, more: Mapping[str, str] | None = None, **options: Any) -> Crew:
        """Start workers; return when their processes have signed on."""
        crew = self.begin(more, **options)
        up = lambda: self.books.workers(crew.pid) >= crew.processes  # noqa: E731  # a condition
        try:
            wait_for(up, 60, "the workers have signed on")
        except TimeoutError as error:
            error.add_note(crew.tail())
            raise
        return crew

    def order(
        self,
        seconds: float = 5,
        more: Mapping[str, str] | None = None,
        orders: int | None = None,
    ) -> Customers:
        """Let customers place the orders, spread over so many seconds."""
        number = self.orders if orders is None else orders
        name = f"customers-{len(self.customers)}"
        environment = {**self.environment, **(more or {})}
        placed = Customers(environment, self.folder, name, number, number / seconds)
        self.customers.append(placed)
        self._ending.callback(placed.end)
        return placed

    def start(
        self,
        name: str,
        *arguments: str,
        more: Mapping[str, str] | None = None,
        entry: Sequence[str] = ("manage.py",),
    ) -> Program:
        """Start a management command, or another one; it ends with the scenario."""
        environment = {**self.environment, **(more or {})}
        log = self.folder / f"{name}.log"
        program = Program(list(arguments), environment, log, entry=entry)
        self.programs.append(program)
        self._ending.callback(program.end)
        return program

    def manage(self, *arguments: str, more: Mapping[str, str] | None = None) -> str:
        """Run a management command; return what it printed."""
        environment = {**os.environ, **self.environment, **(more or {})}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def failpoint(self, name: str, times: int = 1) -> dict[str, str]:
        """Return the environment of processes that die so often at a failpoint."""
        folder = self.folder / name.replace(" ", "-")
        folder.mkdir()
        return {"FAULTS_FAILPOINT": f"{name}:{times}:{folder}"}

    def deaths(self, name: str) -> int:
        """Return how often processes have died at a failpoint."""
        return len(list((self.folder / name.replace(" ", "-")).glob("death-*")))

    def broker_proxy(self) -> tuple[Proxy, dict[str, str]]:
        """Put a proxy before the broker, for those who get this environment."""
        proxy = self._ending.enter_context(Proxy(self.broker.port, self.seed))
        return proxy, {"BROKER_URL": at_port(self.broker.url, proxy.port)}

    def database_proxy(self) -> tuple[Proxy, dict[str, str]]:
        """Put a proxy before the database, for those who get this environment."""
        proxy = self._ending.enter_context(Proxy(self.postgres.port, self.seed))
        return proxy, {"DATABASE_URL": at_port(self.books.url, proxy.port)}

    def until(self, condition: Any, seconds: float, what: str) -> None:
        """Wait for a condition, within a promised deadline."""
        wait_for(condition, seconds * self.patience, what)

    def close(self) -> None:
        """End every process of the scenario."""
        self._ending.close()

    def tails(self) -> str:
        """Return the ends of all logs, for the report of a failure."""
        programs = [*self.crews, *self.customers, *self.programs]
        return "\n".join(f"--- {p.log.name}\n{p.tail()}" for p in programs)


def at_port(url: str, port: int) -> str:
    """Return a URL with another port."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
