"""Actions on the row under the cursor, and its explanation."""

from collections.abc import Callable
from dataclasses import dataclass

from core import control, monitoring
from core.counted import counted
from core.management.tasks_verbs import looking
from core.management.tasks_verbs.acting import user
from core.monitoring import ErrorSnapshot, QueueSnapshot, WorkerSnapshot


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to be done once somebody has said yes."""

    question: str
    #: Performs it and returns a description.
    do: Callable[[], str]


def hold(queue: QueueSnapshot) -> Offer:
    """Offer to pause a queue, or to resume one that is paused."""
    name = f"{queue.name} of {queue.broker}"
    if queue.paused_at:
        return Offer(f"Resume {name}?", lambda: _held(control.resume, "Resumed", queue))
    return Offer(f"Pause {name}?", lambda: _held(control.pause, "Paused", queue))


def _held(act: Callable[..., int], done: str, queue: QueueSnapshot) -> str:
    changed = act(queue.name, broker=queue.broker, by=user())
    return f"{done} {queue.name}." if changed else f"{queue.name} was already."


def requeue(error: ErrorSnapshot) -> Offer:
    """Offer to requeue all dead runs of the actor that failed so."""
    actor = error.actor_name
    number = control.count("requeue", state="dead", actor_name=actor)

    def act() -> str:
        changed = control.requeue_all(by=user(), state="dead", actor_name=actor)
        return f"Requeued {counted(changed, 'run')} of {actor}."

    return Offer(f"Requeue {counted(number, 'dead run')} of {actor}?", act)


def why_queue(queue: QueueSnapshot) -> str:
    """Explain why the newest run of a queue has not started."""
    where = {"broker": queue.broker, "queue_name": queue.name}
    for state in ("pending", "queued"):
        for run in monitoring.runs(limit=1, state=state, **where):
            return looking.explained(monitoring.explain(run.id))
    return f"Nothing waits in {queue.name} of {queue.broker}."


def why_worker(worker: WorkerSnapshot) -> str:
    """Describe what a worker is running."""
    runs = [looking.in_hand(run) for run in worker.running]
    served = f"{worker.name} serves {', '.join(worker.queues)}."
    return "\n".join([served, *(runs or ["It has nothing in hand."])])


def why_error(error: ErrorSnapshot) -> str:
    """Tell of the last run that failed so."""
    return looking.described(monitoring.run(error.run_id))
