"""Why a run has not started, or where it is: exact, for every gate is a row."""

from collections.abc import Iterator
from dataclasses import dataclass

from core import runs
from core.broker.handler import brokers
from core.models import State
from core.monitoring.explaining import before, waiting
from core.monitoring.explaining.reasons import Case, Gate, Reason, length
from core.monitoring.snapshot import Snapshot

__all__ = ["Explanation", "Reason", "explain"]

#: The functions that find the reasons for a run in each state, in order.
GATES: dict[str, tuple[Gate, ...]] = {
    State.PENDING: (
        before.cancelled,
        before.predecessor,
        before.due,
        before.paused,
        before.expired,
        waiting.alone,
        before.limit,
        before.route,
        waiting.served,
        waiting.away,
        waiting.order,
        waiting.relay,
    ),
    State.QUEUED: (before.paused, waiting.served, waiting.away, waiting.published),
}


@dataclass(frozen=True, slots=True)
class Explanation(Snapshot):
    """A run's state, and the reasons for it, the most important one first."""

    id: str
    actor_name: str
    broker: str
    queue_name: str
    state: str
    reasons: tuple[Reason, ...]


def explain(run_id: str) -> Explanation:
    """Return why a run has not started, or what became of it; or raise `UnknownRun`.

    Asks the database, and the broker for at most a second.
    """
    row = brokers.find(run_id)
    broker = brokers[row.broker]
    case = Case(row, broker, runs.now(broker.database))
    found = [one for gate in GATES.get(row.state, ()) for one in gate(case)]
    return Explanation(
        id=str(row.pk),
        actor_name=row.actor_name,
        broker=row.broker,
        queue_name=row.queue_name,
        state=row.state,
        reasons=tuple(found or _state(case)),
    )


def _state(case: Case) -> Iterator[Reason]:
    row = case.run
    if row.state == State.RUNNING and row.started_at:
        since = length(case.now - row.started_at)
        text = f"It has been running for {since} on {row.worker}, attempt {row.attempt}"
        yield Reason("running", f"{text}.")
        yield from waiting.left(case)
    elif row.finished_at:
        # A success keeps what an attempt before it said.
        has_failed = row.error and row.state != State.SUCCEEDED
        why = f": {row.error}" if has_failed else ""
        at = f"{row.finished_at:%Y-%m-%d %H:%M:%S %Z}"
        yield Reason("ended", f"It ended at {at}, {row.state}{why}")
    else:
        interval = case.broker.timing.relay
        text = f"Nothing holds it: the relay looks every {interval:g} s."
        yield Reason("next", text)
