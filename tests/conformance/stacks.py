"""One combination of engine and broker with its real worker processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db.models import F, Max, Min

from core import Actor, BrokerUnavailable, Message, brokers
from core.broker.broker import Broker
from core.models import Run, State, Worker
from core.relay.capacity import AHEAD_SECONDS, FRESH_SECONDS
from tests.conformance.models import Effect, Gate
from tests.services.logs import tail, watch
from tests.services.server import guard, stop
from tests.services.waiting import PATIENCE, TooLate, wait_for

#: The longest that a request may take, s.
ANSWERED = 0.3 * PATIENCE
#: Everything is done so soon after the broker's return, s.
DONE = 10 * PATIENCE
#: A run whose worker was killed completes within so many seconds.
RECOVERED = 30 * PATIENCE
#: A worker that is told to stop has ended after so many seconds.
STOPPED = 40 * PATIENCE
#: Characters that a log ends with after the stacks of a late worker's processes.
STACKS = 60_000

PROJECT = Path(__file__).parents[2]
PROCESSES = 2
THREADS = 4
SLOTS = PROCESSES * THREADS


@dataclass
class Stack:
    """What a promise is tried on."""

    alias: str
    service: Any  # the broker's server; None without one
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    #: Of `manage.py worker`.
    options: Sequence[str] = (f"--processes={PROCESSES}", f"--threads={THREADS}")
    process: subprocess.Popen[bytes] | None = None

    @property
    def broker(self) -> Broker:
        return brokers[self.alias]

    @property
    def has_worker(self) -> bool:
        return self.broker.backend.supports_worker

    def send(self, actor: Actor[..., Any], *args: Any, **options: Any) -> Message:
        return actor.send_with_options(args=args, broker=self.alias, **options)

    def send_directly(
        self, actor: Actor[..., Any], *args: Any, **options: Any
    ) -> Message:
        """Send a message without a row, to a broker that is up."""
        if self.broker.backend.supports_publish:
            self.broker.backend.ping()  # connects, with a longer deadline than a send
        try:
            return self.send(actor, *args, **options)
        except BrokerUnavailable as error:
            raise TooLate(f"A direct send, to a broker that is up: {error}") from error

    def finish(self, message: Message, seconds: float = 30) -> str:
        """Wait for the message's end and return its state."""
        ends = ("succeeded", "dead", "cancelled")
        try:
            wait_for(lambda: message.status() in ends, seconds, str(message))
        except TimeoutError as error:
            error.add_note(f"{message.status()}\n{self.tail()}")
            raise
        return message.status()

    def tail(self) -> str:
        return tail(self.log)

    def workers(self) -> list[Worker]:
        """Return this stack's own; another one may serve the same alias."""
        mine = Worker.alive("default", self.alias).filter(threads__gt=0)
        supervisor = f"{self.process.pid}-" if self.process else ""
        return list(mine.filter(supervisor__startswith=supervisor))

    def depth(self) -> int:
        """Return how many messages of the default queue wait at the broker."""
        return self.broker.sender.depth("default")

    def pace(self) -> float:
        """Return what all workers of the alias start in a second, as they last said."""
        consuming = Worker.alive("default", self.alias).filter(threads__gt=0)
        return sum(consuming.values_list("rate", flat=True))

    def occupy(self, actor: Actor[..., Any], key: str) -> list[Message]:
        """Fill every place with a run of `actor`, which waits for a gate.

        Starts are not counted: what came before may have cost a process, and then a
        run starts twice and a place is free. What is published ahead goes by the pace
        that the workers told of lately: return when no publisher remembers a burst.
        """
        # The relay leaves room for copies of what was cancelled lately, which nobody
        # drops while all are busy. What earlier tests have cancelled is long gone.
        cancelled = Run.objects.filter(broker=self.alias, state=State.CANCELLED)
        cancelled.update(finished_at=F("created_at") - timedelta(hours=1))
        holders = [self.send(actor, key) for _ in range(SLOTS)]
        ids = [holder.message_id for holder in holders]

        since = time.monotonic()

        def settled() -> bool:
            nonlocal since
            alive = [worker.name for worker in self.workers()]
            running = Run.objects.filter(state=State.RUNNING, worker__in=alive)
            full = running.filter(pk__in=ids).count() == SLOTS
            if not full or AHEAD_SECONDS * self.pace() > 2 * SLOTS:
                since = time.monotonic()
            return time.monotonic() - since > 2 * FRESH_SECONDS

        wait_for(settled, 30 * PATIENCE, f"no place is free\n{self.tail()}")
        return holders

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its worker processes; they write stacks when aborted."""
        return {**os.environ, "PYTHONFAULTHANDLER": "1", **self.environment}

    def command(self, *options: str) -> list[str]:
        """Return the command line of a worker."""
        worker = [sys.executable, "manage.py", "worker", f"--broker={self.alias}"]
        return [*worker, *options]

    def _least(self) -> int:
        """Return how many processes there are at first."""
        scale = [o for o in self.options if o.startswith("--autoscale")]
        return int(scale[0].partition("=")[2].partition(",")[0]) if scale else PROCESSES

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Start `manage.py worker` and stop it at the end."""
        command, least = self.command(*self.options), self._least()
        watch(self.log)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guarded = guard(self.process.pid)
        try:
            if self.has_worker:
                up = lambda: len(self.workers()) >= least  # noqa: E731  # a condition
                wait_for(up, 60, f"workers of {self.alias} are up\n{self.tail()}")
            yield self
        finally:
            in_time = stop(self.process, STOPPED)
            guarded.communicate(b"\n")
        said = "" if in_time else tail(self.log, STACKS)
        assert in_time, f"{self.alias} did not stop in {STOPPED} s\n{said}"


def make_due(message: Message) -> None:
    """Let the time come for which a delayed message waits."""
    waiting = Run.objects.filter(pk=message.message_id)
    waiting.update(due_at=F("created_at"), relay_at=F("created_at"))


def spread(messages: Sequence[Message]) -> timedelta:
    """Return how long after the first was sent the last one started.

    Not after the first one's start: that may come long after its Limit let it go.
    """
    found = Run.objects.filter(pk__in=[message.message_id for message in messages])
    times = found.aggregate(first=Min("created_at"), last=Max("started_at"))
    taken: timedelta = times["last"] - times["first"]
    return taken


def effects(key: str) -> int:
    return Effect.objects.filter(key=key).count()


def open_gate(key: str) -> None:
    Gate.objects.create(key=key)
