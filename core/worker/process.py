"""What happens to one message in a worker, top to bottom: claim, admit, perform."""

import logging
from datetime import UTC, datetime
from uuid import UUID

from core import runs
from core.errors import UnknownActor
from core.models import Attempt, Outcome, Run, State
from core.registry import Declared, registry
from core.runs import Failure
from core.wire.envelope import Envelope
from core.worker import transactions, verdict
from core.worker.job import Job
from core.worker.perform import perform
from core.worker.post import Post

logger = logging.getLogger(__name__)

#: Unknown again after longer than this, s, is another deploy, or a requeue.
LONGEST_GAP = 600


def process(post: Post, run_id: UUID) -> None:
    """Perform a run once, if it still waits; return when its outcome is saved."""
    transactions.refresh(post.database)
    worker = post.persist(post.lease.take)
    with post.lease.active(run_id):
        run = post.persist(lambda: runs.claim(post.database, run_id, worker))
        if run is None:
            logger.debug("Dropped a copy of %s: it does not wait.", run_id)
            post.persist(lambda: runs.send_back(post.database, run_id))
            return
        try:
            job = _job(post, run)
        except (UnknownActor, TypeError) as error:
            # TypeError: an option that a newer release has stored.
            _postpone(post, run, error)
            return
        if _admit(job):
            perform(job)


def process_direct(post: Post, message: Envelope) -> None:
    """Perform a message that has no row; it gets one if it fails."""
    transactions.refresh(post.database)
    run = _row(message, post.outbox.alias)
    with post.lease.active(run.pk):
        try:
            job = _job(post, run)
        except (UnknownActor, TypeError) as error:
            run.worker = post.persist(post.lease.take)
            post.persist(lambda: runs.adopt(post.database, run))
            _postpone(post, run, error)
            return
        job.run.priority = job.options.priority
        if post.lease.is_paused(run.queue_name):
            post.persist(lambda: runs.hold(post.database, run))
            return
        job.stored = False
        if _admit(job):
            perform(job)


def _row(message: Envelope, alias: str) -> Run:
    """Return a message without a row as the run that it is all the same."""
    sent_at = datetime.fromtimestamp(message.message_timestamp / 1000, UTC)
    return Run(
        pk=UUID(message.message_id),
        broker=alias,
        actor_name=message.actor_name,
        queue_name=message.queue_name,
        args=list(message.args),
        kwargs=message.kwargs,
        options=message.options,
        state=State.RUNNING,
        attempt=1,
        created_at=sent_at,
        due_at=sent_at,
        started_at=datetime.now(UTC),
    )


def _job(post: Post, run: Run) -> Job:
    actor: Declared = registry.get(run.actor_name)
    return Job(post, run, actor, post.resolver.resolve(actor, run.options))


def _admit(job: Job) -> bool:
    """Say whether the run may start now; if it may never, end it."""
    if job.run.cancel_requested:
        job.stop("cancelled before it started")
    elif job.is_expired():
        job.bury(Failure(Outcome.EXPIRED, "expired: older than its max_age"))
    else:
        return True
    job.post.chain.after("skip_message", job.message)
    return False


def _postpone(post: Post, run: Run, error: Exception) -> None:
    """Let a run wait for a worker that knows its actor: a deploy may be under way."""
    failure = Failure(Outcome.UNKNOWN, str(error))
    if _unknown_for(post, run) > post.outbox.timing.unknown:
        post.persist(lambda: runs.bury(post.database, run, failure))
        logger.error("Gave up on %s %s: %s", run.actor_name, run.pk, error)
        return
    delay = verdict.backoff(run.attempt - 1, shortest=1000, longest=60_000) / 1000
    post.persist(lambda: runs.postpone(post.database, run, failure, delay))
    logger.warning(
        "%s %s waits: %s If it is new, restart this worker.",
        run.actor_name,
        run.pk,
        error,
    )


def _unknown_for(post: Post, run: Run) -> float:
    """Return the seconds since when no worker has known the actor, without a gap."""
    attempts = Attempt.objects.using(post.database).filter(run_id=run.pk)
    since = started = run.started_at or datetime.now(UTC)
    for attempt in attempts.order_by("-number")[:200]:
        gap = (since - attempt.started_at).total_seconds()
        if attempt.outcome != Outcome.UNKNOWN or gap > LONGEST_GAP:
            break
        since = attempt.started_at
    return (started - since).total_seconds()
