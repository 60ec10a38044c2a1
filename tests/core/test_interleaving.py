"""Claims, successes, heartbeats, rescues and kills, in any order: nothing is lost.

Hypothesis makes up the schedules and looks for the shortest that breaks a promise. Each
step is the worker's own code, on the database; `INTERLEAVINGS` says how many there are.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import runs
from core.models import Attempt, Pause, Run, State, Worker
from tests.core.test_runs import FAILURE, make, make_worker
from tests.services.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "40"))
NAMES = ("one", "two")
#: Few, so that the processes meet at them.
RUNS = 4
PICKS = st.lists(st.integers(0, RUNS - 1), min_size=1, max_size=4)


@dataclass
class Process:
    """What a worker process knows: its name, and the attempts in its threads."""

    name: str
    in_hand: list[Run] = field(default_factory=list)
    #: What its threads are claiming or settling just now.
    busy: list[UUID] = field(default_factory=list)

    def active(self) -> list[UUID]:
        return [run.pk for run in self.in_hand] + self.busy


class Interleaving(RuleBasedStateMachine):
    """Two worker processes, the runs they share, and what may befall both."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Attempt, Run, Worker, Pause):
            model.objects.all().delete()
        self.processes = {name: self.started(name, 0) for name in NAMES}
        self.births = 0
        self.sent = [make().pk for _ in range(RUNS)]
        #: Attempts of processes that are gone: their threads may still go on.
        self.ghosts: list[Run] = []
        #: How often each run was told that it has succeeded.
        self.successes: dict[UUID, int] = {}

    def started(self, name: str, number: int) -> Process:
        make_worker(f"{name}-{number}")
        return Process(f"{name}-{number}")

    def picked(self, picks: list[int]) -> list[UUID]:
        """Return some of the runs, one of them perhaps twice: a message's copies."""
        return [self.sent[pick] for pick in picks]

    def note(self, run: Run, freed: list[UUID] | None) -> None:
        if freed is not None:
            assert Run.objects.get(pk=run.pk).attempt == run.attempt  # the fence
            self.successes[run.pk] = self.successes.get(run.pk, 0) + 1

    @rule(name=st.sampled_from(NAMES), picks=PICKS, done=st.integers(0, 3))
    def work(self, name: str, picks: list[int], done: int) -> None:
        """Claim some and settle others, all at once, while the heart beats."""
        process, wanted = self.processes[name], self.picked(picks)
        ended, process.in_hand = process.in_hand[:done], process.in_hand[done:]
        process.busy = wanted + [run.pk for run in ended]
        steps: list[Callable[[], Any]] = [
            *(partial(self.claim, process, run_id) for run_id in wanted),
            *(partial(self.succeed, run) for run in ended),
            partial(self.send_back_left, process),
        ]
        at_once(lambda number: steps[number](), len(steps))
        process.busy = []

    def claim(self, process: Process, run_id: UUID) -> None:
        run = runs.claim("default", run_id, process.name)
        if run is not None:
            process.in_hand.append(run)

    def succeed(self, run: Run) -> None:
        self.note(run, runs.succeed("default", run))

    @rule(name=st.sampled_from(NAMES), picks=PICKS)
    def claim_and_hear_nothing(self, name: str, picks: list[int]) -> None:
        """The connection is cut between the commit and its answer."""
        for run_id in self.picked(picks):
            runs.claim("default", run_id, self.processes[name].name)

    @precondition(lambda self: connection.vendor == "postgresql")
    @rule(name=st.sampled_from(NAMES), picks=PICKS)
    def work_beside_a_lock(self, name: str, picks: list[int]) -> None:
        """Somebody's open transaction has a row, of a run that others may want."""
        chosen = self.picked(picks)
        with self.locked(chosen[0]):
            self.work(name, [self.sent.index(pk) for pk in chosen], 2)

    @contextmanager
    def locked(self, run_id: UUID) -> Iterator[None]:
        own = connection.copy()
        try:
            with own.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(
                    "SELECT 1 FROM core_run WHERE id = %s FOR UPDATE", [run_id]
                )
                cursor.execute(
                    "SET LOCAL idle_in_transaction_session_timeout = '200ms'"
                )
            yield
        finally:
            own.close()

    @rule(name=st.sampled_from(NAMES))
    def beat(self, name: str) -> None:
        process = self.processes[name]
        self.send_back_left(process)
        running = Run.objects.filter(worker=process.name, state=State.RUNNING)
        assert {run.pk for run in running} <= set(process.active())

    def send_back_left(self, process: Process) -> None:
        runs.send_back_left("default", process.name, process.active)

    @rule(name=st.sampled_from(NAMES), noticed=st.booleans())
    def kill(self, name: str, noticed: bool) -> None:
        """End a process; its supervisor signs it off, and starts another."""
        process = self.processes[name]
        Worker.objects.filter(name=process.name).delete()
        self.ghosts += process.in_hand
        self.births += 1
        self.processes[name] = self.started(name, self.births)
        if noticed:
            self.rescue()

    @rule()
    def rescue(self) -> None:
        """Send back what the dead left; it is claimed again, as if it had run alone."""
        runs.rescue("default", "test")
        Run.objects.filter(state=State.PENDING).update(crashes=0, due_at=Now())

    @rule(pick=st.integers(0, 99))
    def settle_late(self, pick: int) -> None:
        """A thread whose run was given away goes on as if nothing had happened."""
        # Not a precondition: what may come next must not depend on a race of threads,
        # or Hypothesis finds that the same choices lead elsewhere.
        if self.ghosts:
            self.succeed(self.ghosts.pop(-1 - pick % len(self.ghosts)))

    @rule()
    def fail(self) -> None:
        if self.processes["one"].in_hand:
            run = self.processes["one"].in_hand.pop()
            runs.retry("default", run, FAILURE, delay=-1)

    @rule(pick=st.integers(0, RUNS - 1))
    def cancel(self, pick: int) -> None:
        runs.cancel("default", [self.sent[pick]])

    @rule(name=st.sampled_from(NAMES), picks=PICKS)
    def work_while_paused(self, name: str, picks: list[int]) -> None:
        runs.pause("default", "test", "default", by="ops")
        self.work(name, picks, 1)
        runs.resume("default", "test", "default")

    @invariant()
    def every_success_is_one_run_that_has_succeeded(self) -> None:
        assert all(number == 1 for number in self.successes.values())
        succeeded = Run.objects.filter(state=State.SUCCEEDED)
        assert set(self.successes) == set(succeeded.values_list("pk", flat=True))

    def teardown(self) -> None:
        """Whatever happened: what is left is done by the next process."""
        for name in NAMES:
            self.kill(name, noticed=False)
        self.rescue()
        Run.objects.filter(state=State.PENDING).update(due_at=runs.later(-1))
        for pk in self.sent:
            run = runs.claim("default", pk, "alone-last")
            if run is not None:
                self.note(run, runs.succeed("default", run))
        open_ = Run.objects.exclude(
            state__in=(State.SUCCEEDED, State.CANCELLED, State.DEAD)
        )
        assert not open_.exists()
        self.every_success_is_one_run_that_has_succeeded()


def test_any_order_of_steps_ends_each_run_once() -> None:
    with transaction.atomic():
        pass  # opens the connection, which a schedule's first step may not wait for
    run_state_machine_as_test(
        Interleaving,
        settings=settings(
            max_examples=INTERLEAVINGS,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
