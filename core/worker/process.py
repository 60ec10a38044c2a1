"""What happens to one message in a worker, top to bottom: claim, check, perform."""

import logging
from datetime import UTC, datetime
from uuid import UUID

from core import runs
from core.errors import UnknownActor, UnknownOption
from core.models import Attempt, Outcome, Run, State
from core.registry import Declared, registry
from core.runs import Failure
from core.wire.envelope import Envelope
from core.worker import transactions, verdict
from core.worker.claimed import ClaimedRun
from core.worker.context import WorkerContext
from core.worker.perform import perform

logger = logging.getLogger(__name__)

#: Unknown again after longer than this, s, is another deploy, or a requeue.
LONGEST_GAP = 600


def process(context: WorkerContext, run_id: UUID) -> None:
    """Perform a run once, if it still waits; return when its outcome is saved."""
    transactions.refresh(context.database)
    worker = context.persist(context.lease.take)
    with context.lease.active(run_id):
        run = context.persist(lambda: runs.claim(context.database, run_id, worker))
        if run is None:
            logger.debug("Dropped a copy of %s: it does not wait.", run_id)
            context.persist(lambda: runs.send_back(context.database, run_id))
            return
        try:
            claimed = _claimed(context, run)
        except (UnknownActor, UnknownOption) as error:
            # A newer release has stored an option that this one does not know.
            _postpone(context, run, error)
            return
        if _may_start(claimed):
            perform(claimed)


def process_direct(context: WorkerContext, message: Envelope) -> None:
    """Perform a message that has no row; it gets one if it fails."""
    transactions.refresh(context.database)
    run = _row(message, context.outbox.alias)
    with context.lease.active(run.pk):
        try:
            claimed = _claimed(context, run)
        except (UnknownActor, UnknownOption) as error:
            run.worker = context.persist(context.lease.take)
            context.persist(lambda: runs.adopt(context.database, run))
            _postpone(context, run, error)
            return
        claimed.run.priority = claimed.options.priority
        if context.lease.is_paused(run.queue_name):
            context.persist(lambda: runs.hold(context.database, run))
            return
        claimed.stored = False
        if _may_start(claimed):
            perform(claimed)


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


def _claimed(context: WorkerContext, run: Run) -> ClaimedRun:
    actor: Declared = registry.get(run.actor_name)
    return ClaimedRun(context, run, actor, context.resolver.resolve(actor, run.options))


def _may_start(claimed: ClaimedRun) -> bool:
    """Return True if the run may start now; end it if it never may."""
    if claimed.run.cancel_requested:
        claimed.stop("cancelled before it started")
    elif claimed.is_expired():
        claimed.bury(Failure(Outcome.EXPIRED, "expired: older than its max_age"))
    else:
        return True
    claimed.context.middleware.after("skip_message", claimed.message)
    return False


def _postpone(context: WorkerContext, run: Run, error: Exception) -> None:
    """Let a run wait for a worker that knows its actor: a deploy may be under way."""
    failure = Failure(Outcome.UNKNOWN, str(error))
    if _unknown_for(context, run) > context.outbox.timing.unknown:
        context.persist(lambda: runs.bury(context.database, run, failure))
        logger.error("Gave up on %s %s: %s", run.actor_name, run.pk, error)
        return
    delay = verdict.backoff(run.attempt - 1, shortest=1000, longest=60_000) / 1000
    context.persist(lambda: runs.postpone(context.database, run, failure, delay))
    logger.warning(
        "%s %s waits: %s If it is new, restart this worker.",
        run.actor_name,
        run.pk,
        error,
    )


def _unknown_for(context: WorkerContext, run: Run) -> float:
    """Return the seconds since when no worker has known the actor, without a gap."""
    attempts = Attempt.objects.using(context.database).filter(run_id=run.pk)
    since = started = run.started_at or datetime.now(UTC)
    for attempt in attempts.order_by("-number")[:200]:
        gap = (since - attempt.started_at).total_seconds()
        if attempt.outcome != Outcome.UNKNOWN or gap > LONGEST_GAP:
            break
        since = attempt.started_at
    return (started - since).total_seconds()
