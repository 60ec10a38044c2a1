"""Gates of the run itself: it is not due, or not allowed."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from uuid import UUID

from core.models import Attempt, Batch, Limit, Outcome, Pause, Run
from core.monitoring.explaining.reasons import MOST, Case, Reason, at, length
from core.runs import NEVER
from core.runs.limits import TOLERANCE


def cancelled(case: Case) -> Iterator[Reason]:
    """Someone wants it stopped."""
    if case.run.cancel_requested:
        text = "It was cancelled while it ran: it starts no more."
        yield Reason("cancelled", text)


def predecessor(case: Case) -> Iterator[Reason]:
    """It waits for another run, or for a group."""
    if case.run.due_at < NEVER or case.run.after is None:
        return
    when = "the end" if case.run.after_end else "the success"
    one = Run.objects.using(case.database).filter(pk=case.run.after).first()
    if one is not None:
        text = (
            f"It waits for {when} of {one.actor_name} {one.pk}, which is {one.state}."
        )
        yield Reason("predecessor", text, runs=(str(one.pk),))
        return
    group = Batch.objects.using(case.database).filter(pk=case.run.after).first()
    if group is None:
        text = f"It waits for {case.run.after}, which is not there any more."
        yield Reason("predecessor", text)
        return
    text = f"It waits for {when} of a group: {group.remaining} of {group.size} have"
    members = Run.objects.using(case.database).filter(
        batch=group.pk, finished_at__isnull=True
    )
    first = members.order_by("position").values_list("pk", flat=True)[:MOST]
    yield Reason("group", f"{text} not ended.", runs=_ids(first))


def due(case: Case) -> Iterator[Reason]:
    """It has a delay, or waits for its next attempt."""
    run = case.run
    if not case.now < run.due_at < NEVER:
        return
    when = at(case, run.due_at)
    last = Attempt.objects.using(case.database).filter(run_id=run.pk).last()
    if last is None:
        yield Reason("delayed", f"It is delayed until {when}.", run.due_at)
    elif last.outcome == Outcome.UNKNOWN:
        text = f"No worker knew {run.actor_name}; it is tried again at {when}."
        text += " Restart the workers with the code that declares it."
        yield Reason("unknown_actor", text, run.due_at)
    elif last.outcome == Outcome.CRASHED:
        text = f"Its process died {run.crashes} times; it is tried again at {when}."
        yield Reason("crashed", text, run.due_at)
    else:
        text = f"Attempt {last.number} failed ({last.error}); it is tried again at"
        yield Reason("retry", f"{text} {when}.", run.due_at)


def paused(case: Case) -> Iterator[Reason]:
    """Its queue is paused."""
    pauses = Pause.objects.using(case.database)
    for row in pauses.filter(broker=case.run.broker, queue_name=case.run.queue_name):
        since = f"{row.paused_at:%Y-%m-%d %H:%M:%S %Z}"
        text = f"The queue {row.queue_name} has been paused by {row.by} since {since}."
        yield Reason("paused", text)


def expired(case: Case) -> Iterator[Reason]:
    """It will not run: it is too old."""
    expires = case.run.expires_at
    if expires is not None and expires <= case.now:
        ago = length(case.now - expires)
        text = f"Its max_age was over {ago} ago: it ends as dead when it would start."
        yield Reason("expired", text)


def limit(case: Case) -> Iterator[Reason]:
    """Its actor's concurrency or rate is used up."""
    run = case.run
    if run.limit_key is None or run.limit_granted:
        return
    if run.actor_name not in case.broker.resolver.rules():
        text = f"It has a limit, and {run.actor_name} is not known here."
        yield Reason("unknown_limit", text)
        return
    row = Limit.objects.using(case.database).filter(key=run.limit_key).first()
    rule = case.broker.resolver.rules()[run.actor_name]
    if rule.size is not None:
        yield from _concurrency(case, rule.size)
    early = timedelta(seconds=TOLERANCE)
    if rule.interval and row and row.next_at and row.next_at > case.now + early:
        text = f"The rate of {_key(run)} is used up until {at(case, row.next_at)}."
        yield Reason("rate", text, row.next_at)


def _concurrency(case: Case, size: int) -> Iterator[Reason]:
    run = case.run
    out = Run.objects.using(case.database).filter(
        limit_granted=True, limit_key=run.limit_key
    )
    number = out.count()
    if number >= size:
        text = f"{_key(run)} is limited to {size} at once, and {number} are out."
        holders = out.order_by("started_at").values_list("pk", flat=True)[:MOST]
        yield Reason("concurrency", text, runs=_ids(holders))


def _key(run: Run) -> str:
    """Name what is limited; not by the key, which is made of arguments."""
    if run.limit_key == run.actor_name:
        return run.actor_name
    return f"{run.actor_name} with this key"


def route(case: Case) -> Iterator[Reason]:
    """Its queue has yet to be decided."""
    if not case.run.routed:
        text = "The relay has yet to decide its queue, by the routes of its alias."
        yield Reason("unrouted", text)


def _ids(found: Iterable[UUID]) -> tuple[str, ...]:
    return tuple(map(str, found))
