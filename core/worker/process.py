"""What happens to one message in a worker, top to bottom: claim, perform, settle."""

import logging
import random
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)

from core import runs
from core.errors import Interrupt, LeaseLost, Retry, UnknownActor
from core.models import Attempt, Outcome, Run
from core.options import Options, duration
from core.registry import Declared, registry
from core.runs import Failure
from core.timing import Timing
from core.worker.current import CurrentRun, performing
from core.worker.lease import Lease

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Exponents above this make no longer waits. Source: Dramatiq 2.2, `compute_backoff`.
MAX_EXPONENT = 32


@dataclass(frozen=True, slots=True)
class Post:
    """Where runs are performed: a worker's lease, its database and its defaults."""

    database: str
    lease: Lease
    timing: Timing
    defaults: Mapping[str, Any]


def process(post: Post, run_id: UUID) -> None:
    """Perform a run once, if it still waits; return when its outcome is saved."""
    close_old_connections()
    worker = post.lease.take()
    with post.lease.active(run_id):
        run = persist(post, lambda: runs.claim(post.database, run_id, worker))
        if run is None:
            logger.debug("Dropped a copy of %s: it does not wait.", run_id)
            return
        try:
            actor = registry.get(run.actor_name)
        except UnknownActor as error:
            _postpone(post, run, error)
            return
        options = Options.resolve(post.defaults, actor.options, run.options)
        _perform(post, run, actor, options)
    close_old_connections()


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
    post: Post,
    run: Run,
    options: Options,
    current: CurrentRun,
    error: BaseException,
) -> None:
    if current.settled:
        logger.error(
            "%s %s raised after it had been settled.",
            run.actor_name,
            run.pk,
            exc_info=error,
        )
        return
    failure = Failure(
        Outcome.FAILED,
        f"{type(error).__name__}: {error}",
        "".join(traceback.format_exception(error)),
    )
    if not _retries(run, options, error):
        persist(post, lambda: runs.bury(post.database, run, failure))
        logger.error(
            "Gave up on %s %s after %d runs: %s",
            run.actor_name,
            run.pk,
            run.attempt,
            failure.error,
        )
        return
    delay = _delay(run, options, error)
    persist(post, lambda: runs.retry(post.database, run, failure, delay))
    logger.warning(
        "%s %s failed and waits %.1f s: %s",
        run.actor_name,
        run.pk,
        delay,
        failure.error,
    )


def _retries(run: Run, options: Options, error: BaseException) -> bool:
    if isinstance(error, options.throws):
        return False
    if options.retry_when is not None:
        return bool(options.retry_when(run.retries, error))
    return options.max_retries is None or run.retries < options.max_retries


def _delay(run: Run, options: Options, error: BaseException) -> float:
    """Return the seconds to wait before this retry."""
    waits = backoff(
        run.retries, shortest=options.min_backoff, longest=options.max_backoff
    )
    if isinstance(error, Retry) and error.delay is not None:
        waits = max(waits, duration("delay", error.delay))
    return waits / 1000


def backoff(retries: int, *, shortest: int, longest: int) -> float:
    """Return how long to wait before retry number `retries` (0 first), in ms.

    The wait doubles from `shortest`, is stretched by a random factor between 1 and 2,
    so that messages which failed together do not come back together, and never
    exceeds `longest`.

    Source: Dramatiq 2.2, `dramatiq.common.compute_backoff`.
    """
    stretch = random.uniform(1, 2)  # noqa: S311  # spreads load, guards nothing
    doubled: int = shortest << min(retries, MAX_EXPONENT)
    return min(longest, doubled * stretch)


def _postpone(post: Post, run: Run, error: UnknownActor) -> None:
    """Let a run wait for a worker that knows its actor: a deploy may be under way."""
    failure = Failure(Outcome.UNKNOWN, str(error))
    first = (
        Attempt.objects.using(post.database)
        .filter(run_id=run.pk, outcome=Outcome.UNKNOWN)
        .order_by("number")
        .first()
    )
    if first and run.started_at:
        waited = (run.started_at - first.started_at).total_seconds()
    else:
        waited = 0.0
    if waited > post.timing.unknown:
        persist(post, lambda: runs.bury(post.database, run, failure))
        logger.error("Gave up on %s %s: %s", run.actor_name, run.pk, error)
        return
    delay = backoff(run.attempt - 1, shortest=1000, longest=60_000) / 1000
    persist(post, lambda: runs.postpone(post.database, run, failure, delay))
    logger.warning("%s %s waits: %s", run.actor_name, run.pk, error)
