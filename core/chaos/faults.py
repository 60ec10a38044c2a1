"""The faults: what each one does, and what may stand in its way."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from django.db import connections

from core.chaos.processes import Victim, frozen
from core.chaos.stage import Stage, Strike
from core.models import State

#: Seconds for a supervisor to have a new process at work.
START_SECONDS = 60.0
#: Newest canaries that are published again, in whatever state they are.
NEWEST = 50
COPIES = 3
#: Tries of a purge: the workers may have been faster.
TRIES = 3


class NotDone(Exception):
    """A fault could not be done this time; says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to hurt the stack; its id is the fault suite's."""

    id: str
    title: str
    touches: str  # what is counted
    obstacle: Callable[[Stage], str]  # why it cannot be done; "" if it can
    strike: Callable[[Stage], None]


def nobody_here(stage: Stage) -> str:
    """Return why no process can be killed, or an empty string."""
    if stage.here():
        return ""
    hosts = ", ".join(sorted({worker.host for worker in stage.workers()})) or "nowhere"
    return (
        f"no process of `manage.py worker` that we may signal serves {stage.queue!r} on"
        f" {socket.gethostname()}; workers run on: {hosts}"
    )


def must_not_freeze(stage: Stage) -> str:
    """Return why no process can be frozen, or an empty string."""
    if connections[stage.database].vendor == "sqlite":
        return "a process frozen while it writes would hold SQLite's only lock"
    return nobody_here(stage)


def must_not_purge(stage: Stage) -> str:
    """Return why the queue must not be purged, or an empty string."""
    direct = stage.direct_actors()
    if direct and not stage.lose_direct:
        return (
            f"it would lose direct messages of {', '.join(direct)}: give another"
            " --queue, or --lose-direct"
        )
    return ""


def kill(stage: Stage) -> None:
    """kill -9 a worker process while it has canaries in hand."""
    _replace(stage, "F1", psutil.Process.kill, START_SECONDS)


def restart(stage: Stage) -> None:
    """Ask a worker process to stop; its supervisor starts another."""
    patience = START_SECONDS + stage.broker.timing.stop
    _replace(stage, "F24", psutil.Process.terminate, patience)


def freeze(stage: Stage) -> None:
    """Stop a worker process until its runs are somebody else's, then let it go on."""
    victim, timing = _victim(stage), stage.broker.timing
    name, pid, before = victim.worker.name, victim.worker.pid, len(stage.workers())
    strike = _hurt(stage, "F5", victim)
    with frozen(victim.process):
        stage.until(
            lambda: (
                name not in {worker.name for worker in stage.workers()}
                and not stage.canaries(state=State.RUNNING, worker=name).exists()
            ),
            2 * timing.lease + 3 * timing.rescue,
        )
    # Itself, or the one by which its supervisor has replaced it.
    seconds = stage.until(lambda: len(stage.workers()) >= before, START_SECONDS)
    if seconds is None:
        strike.problem = f"process {pid} did not come back to work after its stop"


def forget(stage: Stage) -> None:
    """Have the broker forget what waits in the queue."""
    backend, queue = stage.broker.backend, stage.broker.sender.physical(stage.queue)
    threads = sum(worker.threads for worker in stage.workers())
    for _ in range(TRIES):
        stage.producer.burst(3 * threads)
        stage.until(lambda: backend.depth(queue), 3)
        hit = list(stage.canaries(state=State.QUEUED).values_list("pk", flat=True))
        if forgotten := backend.purge(queue):
            stage.strike("F7", hit, forgotten)
            return
    raise NotDone("nothing waited at the broker, the workers had taken all of it")


def copy(stage: Stage) -> None:
    """Publish messages again, of canaries that wait, run or have long ended."""
    rows = list(stage.canaries().order_by("-created_at")[:NEWEST])
    messages = [stage.broker.sender.engine_message(row) for row in rows] * COPIES
    hit = [row.pk for row in rows if row.state == State.QUEUED]
    stage.strike("F4", hit, len(messages))
    stage.broker.backend.publish(messages)


FAULTS = (
    Fault("F1", "kill -9 of a worker process", "in hand", nobody_here, kill),
    Fault("F7", "the broker forgets the queue", "forgotten", must_not_purge, forget),
    Fault("F4", "messages published again", "copies", lambda stage: "", copy),
    Fault("F5", "SIGSTOP past the lease, CONT", "in hand", must_not_freeze, freeze),
    Fault("F24", "SIGTERM to a worker process", "in hand", nobody_here, restart),
)


def _victim(stage: Stage) -> Victim:
    victim = stage.victim()
    if victim is None:
        raise NotDone(nobody_here(stage))
    return victim


def _hurt(stage: Stage, fault: str, victim: Victim) -> Strike:
    held = stage.canaries(state=State.RUNNING, worker=victim.worker.name)
    hit = list(held.values_list("pk", flat=True))
    return stage.strike(fault, hit, len(hit))


def _replace(
    stage: Stage, fault: str, end: Callable[[psutil.Process], None], patience: float
) -> None:
    """End a process, and wait until its supervisor has another one at work."""
    victim = _victim(stage)
    known = {worker.pid for worker in stage.workers()}
    strike = _hurt(stage, fault, victim)
    end(victim.process)
    seconds = stage.until(lambda: _successors(stage, victim) - known, patience)
    if seconds is None:
        pid = victim.worker.pid
        strike.problem = f"process {pid} was not replaced within {patience:.0f} s"
    strike.seconds = seconds or 0.0


def _successors(stage: Stage, victim: Victim) -> set[int]:
    supervisor = victim.worker.supervisor
    return {w.pid for w in stage.workers() if w.supervisor == supervisor}
