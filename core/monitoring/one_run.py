"""One run: every attempt, what it belongs to, and what happened when."""

from collections.abc import Iterator
from uuid import UUID

from core.broker.handler import brokers
from core.models import Batch, Run, State
from core.monitoring.run_rows import AttemptSnapshot, Event, Relative, RunSnapshot
from core.runs import NEVER

#: Most attempts and waiting runs that are shown.
MOST = 100


def run(run_id: str) -> RunSnapshot:
    """Return one run, its attempts, relatives and timeline, or raise `UnknownRun`."""
    row = brokers.find(run_id)
    newest = row.attempts.order_by("-number")[:MOST]
    attempts = tuple(map(AttemptSnapshot.of, reversed(newest)))
    return RunSnapshot.of(
        row,
        attempts=attempts,
        relatives=tuple(_relatives(row)),
        timeline=tuple(_timeline(row, attempts)),
        result=row.result,
    )


def _relatives(row: Run) -> Iterator[Relative]:
    database = brokers[row.broker].database
    if row.after is not None:
        yield from _find(database, row.after, "after")
    if row.batch is not None:
        yield from _find(database, row.batch, "group")
    waiting = Run.objects.using(database).filter(after__in=[row.pk, *_group(row)])
    for follower in waiting.order_by("created_at", "pk")[:MOST]:
        yield _run(follower, "then")


def _group(row: Run) -> list[UUID]:
    """Return the group whose end a member's end may be."""
    return [] if row.batch is None else [row.batch]


def _find(database: str, key: UUID, relation: str) -> Iterator[Relative]:
    """Find a run or a group; it may be deleted already."""
    for run in Run.objects.using(database).filter(pk=key):
        yield _run(run, relation)
    for group in Batch.objects.using(database).filter(pk=key):
        state = "ended" if group.finished_at else "open"
        yield Relative(str(group.pk), relation, state, "")


def _run(row: Run, relation: str) -> Relative:
    return Relative(str(row.pk), relation, row.state, row.actor_name)


def _timeline(row: Run, attempts: tuple[AttemptSnapshot, ...]) -> list[Event]:
    """Return what happened, in order, and when it is due next.

    Of several due times the last one is known; of two events at once, what is built
    first here came first.
    """
    events = [Event(row.created_at, "created")]
    if row.created_at < row.due_at < NEVER:
        events.append(Event(row.due_at, "due"))
    for one in attempts:
        events.append(Event(one.started_at, "started", one.number, one.worker))
        events.append(Event(one.finished_at, one.outcome, one.number, one.error))
    if row.started_at and row.attempt not in {one.number for one in attempts}:
        events.append(Event(row.started_at, "started", row.attempt, row.worker))
    if row.finished_at:
        why = "" if row.state == State.SUCCEEDED else row.error
        # The same transaction settles the run, and then writes its attempt.
        last = max(row.finished_at, *(event.at for event in events[-1:]))
        events.append(Event(last, row.state, 0, why))
    return sorted(events, key=lambda event: event.at)
