"""Gates between a due run and its start: workers, the broker, those before it."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from core import runs
from core.models import Run, State, Worker
from core.monitoring.explaining.reasons import MOST, Case, Reason, at, length
from core.monitoring.probing import ask

#: Runs ahead of another one are counted up to this number.
MANY = 10_000


def alone(case: Case) -> Iterator[Reason]:
    """Its process died: it runs by itself, one of few at a time."""
    run = case.run
    if not run.crashes or run.due_at > case.now:
        return
    text = f"Its process died {run.crashes} times: it runs alone in one of its own"
    others = Run.objects.using(case.database).filter(
        broker=run.broker, state=State.RUNNING, worker__startswith=runs.ALONE
    )
    if others.exists():
        names = others.values_list("pk", flat=True)[:MOST]
        yield Reason("alone", f"{text}, after these.", runs=tuple(map(str, names)))
    else:
        yield Reason("alone", f"{text}, which a supervisor is about to start.")


def served(case: Case) -> Iterator[Reason]:
    """There is no live worker for its queue."""
    if case.serving or not case.broker.backend.supports_worker:
        return
    run = case.run
    alive = Worker.alive(case.database, run.broker).filter(threads__gt=0)
    queues = sorted({queue for worker in alive for queue in worker.queues})
    others = f": those that are alive serve {', '.join(queues)}" if queues else ""
    text = f"No live worker serves the queue {run.queue_name} of {run.broker}{others}"
    command = f"manage.py worker --broker={run.broker} --queues={run.queue_name}"
    yield Reason("no_worker", f"{text}. Start one: {command}")


def away(case: Case) -> Iterator[Reason]:
    """The broker does not answer."""
    alias = case.run.broker
    answers = ask({f"ping {alias}": case.broker.backend.ping})
    answer = answers.get(f"ping {alias}", TimeoutError("no answer within a second"))
    if isinstance(answer, Exception):
        text = f"The broker of {alias} is away: {str(answer).rstrip('.')}"
        meanwhile = ". Its workers take runs from the table" if case.serving else ""
        yield Reason("broker_away", f"{text}{meanwhile}")


def order(case: Case) -> Iterator[Reason]:
    """More urgent or older runs come first, or the broker has enough for now."""
    run, outbox = case.run, case.broker.outbox
    if run.due_at > case.now or run.crashes or not case.serving:
        return
    first = Q(priority__lt=run.priority)
    first |= Q(priority=run.priority, due_at__lt=run.due_at)
    due = runs.due(case.database, run.broker, run.queue_name).exclude(pk=run.pk)
    number = due.filter(first, limit_key__isnull=True)[: MANY + 1].count()
    if number:
        told = f"more than {MANY}" if number > MANY else number
        text = f"{told} more urgent or older runs of {run.queue_name} go first."
        yield Reason("behind", text)
    out = _queued(case).filter(priority__lte=run.priority).count()
    bound = outbox.capacity.bound(run.queue_name)
    if out >= bound:
        text = f"{out} of {run.queue_name} are at the broker, which is given {bound}"
        text += f" at the pace of its workers. {_busy(case)}"
        yield Reason("full", text)


def relay(case: Case) -> Iterator[Reason]:
    """A sender or a relay is just publishing it, or will try again."""
    run = case.run
    if run.due_at > case.now or run.relay_at is None or run.relay_at <= case.now:
        return
    if run.due_at >= runs.NEVER:
        return
    when = at(case, run.relay_at)
    who = "A relay is publishing it" if run.reserved else "Its sender may publish it"
    if not case.broker.backend.supports_publish:
        who = "A worker has taken it"
    text = f"{who}; if not, it is looked at again at {when}."
    yield Reason("publishing", text, run.relay_at)


def published(case: Case) -> Iterator[Reason]:
    """It is at the broker, behind others."""
    run = case.run
    since = run.relay_at and case.broker.timing.lost - (
        (run.relay_at - case.now).total_seconds()
    )
    ago = f"{since:.1f} s ago" if since is not None else "a while ago"
    before = _queued(case).filter(
        Q(priority__lt=run.priority)
        | Q(priority=run.priority, relay_at__lt=run.relay_at or case.now)
    )
    text = (
        f"It was published {ago}: {before.count()} of {run.queue_name} come before it"
    )
    yield Reason("published", f"{text}. {_busy(case)}")


def left(case: Case) -> Iterator[Reason]:
    """Its worker has fallen silent."""
    alive = Worker.alive(case.database, case.run.broker)
    if not alive.filter(name=case.run.worker).exists():
        looks = case.broker.timing.rescue
        text = f"Its worker is gone: it is rescued at the next look, every {looks:g} s."
        yield Reason("left", text)


def _busy(case: Case) -> str:
    threads = sum(worker.threads for worker in case.serving)
    names = [worker.name for worker in case.serving]
    running = Run.objects.using(case.database).filter(
        broker=case.run.broker, state=State.RUNNING, worker__in=names
    )
    first = running.order_by("started_at").first()
    text = f"{running.count()} of {threads} threads are busy"
    if first is None or first.started_at is None:
        return f"{text}."
    longest = length(case.now - first.started_at)
    return f"{text}, the longest for {longest} with {first.actor_name}."


def _queued(case: Case) -> QuerySet[Run]:
    return Run.objects.using(case.database).filter(
        broker=case.run.broker, queue_name=case.run.queue_name, state=State.QUEUED
    )
