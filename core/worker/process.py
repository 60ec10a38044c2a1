"""What happens to one message in a worker, top to bottom: claim, perform, settle."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections

from core import runs
from core.errors import Interrupt, LeaseLost, UnknownActor
from core.models import Attempt, Outcome, Run
from core.options import Options
from core.registry import Declared, registry
from core.runs import Failure
from core.timing import Timing
from core.worker import verdict
from core.worker.current import CurrentRun, performing
from core.worker.lease import Lease

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Unknown again after longer than this, s, is another deploy, or a requeue.
LONGEST_GAP = 600


@dataclass(frozen=True, slots=True)
class Post:
    """Where runs are performed: a worker's lease, its database and its defaults."""

    database: str
    lease: Lease
    timing: Timing
    defaults: Mapping[str, Any]


def process(post: Post, run_id: UUID) -> None:
    """Perform a run once, if it still waits; return when its outcome is saved."""
    _close_spent_connections()
    worker = persist(post, post.lease.take)
    with post.lease.active(run_id):
        run = persist(post, lambda: runs.claim(post.database, run_id, worker))
        if run is None:
            logger.debug("Dropped a copy of %s: it does not wait.", run_id)
            return
        try:
            actor = registry.get(run.actor_name)
            options = Options.resolve(post.defaults, actor.options, run.options)
        except (UnknownActor, TypeError) as error:
            # TypeError: an option that a newer release has stored.
            _postpone(post, run, error)
            return
        _perform(post, run, actor, options)


def _close_spent_connections() -> None:
    """Do what Django does between requests, without its question to the database.

    A connection that is dead without our knowing fails at the claim, which is tried
    again on a new one.
    """
    for connection in connections.all(initialized_only=True):
        too_old = connection.close_at is not None and (
            time.monotonic() >= connection.close_at
        )
        if connection.errors_occurred or too_old:
            connection.close_if_unusable_or_obsolete()


def persist(post: Post, step: Callable[[], T]) -> T:
    """Take a step of the state machine, again while the database is away.

    For at most a lease: afterwards another process may own the run.
    """
    deadline = time.monotonic() + post.timing.lease
    wait = 0.05
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError):
            connections[post.database].close()
            if time.monotonic() + wait > deadline:
                raise
            time.sleep(wait)
            wait = min(2 * wait, 2)


def _perform(post: Post, run: Run, actor: Declared, options: Options) -> None:
    current = CurrentRun(
        str(run.pk),
        run.attempt,
        post.database,
        settle=lambda: runs.succeed(post.database, run),
    )
    try:
        with performing(current):
            post.lease.interrupts.guard(lambda: _body(run, actor, options, current))
    except LeaseLost as error:
        # The connection may be in the middle of anything.
        connections.close_all()
        logger.error("Dropped %s %s: %s", run.actor_name, run.pk, error)
    except BaseException as error:  # the actor's own code: anything may come out
        if isinstance(error, Interrupt):
            connections.close_all()
        _failed(post, run, options, current, error)
        if isinstance(error, KeyboardInterrupt):
            raise  # a Ctrl-C where the run is performed in the caller's process
    else:
        _succeeded(post, run, current)


def _body(run: Run, actor: Declared, options: Options, current: CurrentRun) -> None:
    if options.atomic:
        with current.atomic():
            actor(*run.args, **run.kwargs)
    else:
        actor(*run.args, **run.kwargs)


def _succeeded(post: Post, run: Run, current: CurrentRun) -> None:
    if current.settled:
        return
    if not persist(post, lambda: runs.succeed(post.database, run)):
        logger.warning(
            "%s %s ended after it had been given to another worker; attempt %d"
            " does not count.",
            run.actor_name,
            run.pk,
            run.attempt,
        )


def _failed(
    post: Post, run: Run, options: Options, current: CurrentRun, error: BaseException
) -> None:
    name = f"{run.actor_name} {run.pk}"
    if current.settled:
        logger.error("%s raised after it had been settled.", name, exc_info=error)
        return
    failure = Failure.of(error)
    wait = verdict.wait(run.retries, options, error)
    if wait is None:
        persist(post, lambda: runs.bury(post.database, run, failure))
        logger.error("Gave up on %s, run %d: %s", name, run.attempt, failure.error)
    else:
        persist(post, lambda: runs.retry(post.database, run, failure, wait))
        logger.warning("%s failed and waits %.1f s: %s", name, wait, failure.error)


def _postpone(post: Post, run: Run, error: Exception) -> None:
    """Let a run wait for a worker that knows its actor: a deploy may be under way."""
    failure = Failure(Outcome.UNKNOWN, str(error))
    if _unknown_for(post, run) > post.timing.unknown:
        persist(post, lambda: runs.bury(post.database, run, failure))
        logger.error("Gave up on %s %s: %s", run.actor_name, run.pk, error)
        return
    delay = verdict.backoff(run.attempt - 1, shortest=1000, longest=60_000) / 1000
    persist(post, lambda: runs.postpone(post.database, run, failure, delay))
    logger.warning("%s %s waits: %s", run.actor_name, run.pk, error)


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
