"""The body: run under its limits, with the middleware around it, then settled."""

import inspect
import logging
from datetime import datetime
from typing import Any

from django.db import connections

from core import runs
from core.errors import (
    Cancelled,
    Interrupt,
    InvalidResult,
    LeaseLost,
    SkipMessage,
    TimeLimitExceeded,
)
from core.models import Fire
from core.secrets.redaction import hiding, redact, trace
from core.secrets.values import decrypt, decrypt_arguments
from core.wire.envelope import Envelope, size_of
from core.worker import overrun, transactions
from core.worker.current import Attempt, CurrentRun, performing
from core.worker.job import Job

logger = logging.getLogger(__name__)


def perform(job: Job) -> None:
    """Run the body of a job once and settle what came of it."""
    current = _current(job)
    # Around the middleware, too: it may ask which attempt it is.
    with hiding(job.secrets), performing(current):
        _perform(job, current)


def _perform(job: Job, current: CurrentRun) -> None:
    chain, message = job.post.chain, job.message if job.post.chain.links else None
    try:
        chain.before("process_message", message)
    except SkipMessage as skip:
        job.stop(redact(f"skipped: {skip}"))
        chain.after("skip_message", message)
        return
    # Passed on, not kept here: its traceback leads to this frame.
    _settle(job, current, message, *_outcome(job, current))
    chain.before("ack", message)
    chain.after("ack", message)


def _outcome(job: Job, current: CurrentRun) -> tuple[Any, BaseException | None]:
    """Return what the body returned, or what it raised.

    What fails while that is settled must not have it as its context: engines log what
    comes out of a delivery.
    """
    before = transactions.in_transaction()
    try:
        value = _guarded(job, current)
    except BaseException as error:  # the actor's own code: anything may come out
        transactions.roll_back(before)
        return None, error
    return value, transactions.roll_back(before)


def _settle(
    job: Job,
    current: CurrentRun,
    message: Envelope | None,
    value: Any,
    error: BaseException | None,
) -> None:
    chain = job.post.chain
    if isinstance(error, Interrupt):
        # The connection may be in the middle of anything.
        connections.close_all()
    if isinstance(error, LeaseLost):
        logger.error("Dropped %s: %s", job.name, redact(str(error)))
    elif error is None:
        chain.after("process_message", message, result=value)
        _succeeded(job, current, value)
    else:
        chain.after("process_message", message, exception=error)
        _failed(job, current, error)
        here = not job.post.outbox.backend.supports_worker
        if isinstance(error, KeyboardInterrupt) and here:
            # A Ctrl-C where the run is performed in the caller's process. Not the one
            # that the body met: whoever logs it would tell the body's words.
            raise KeyboardInterrupt


def _current(job: Job) -> CurrentRun:
    run, post = job.run, job.post
    return CurrentRun(
        Attempt(
            str(run.pk),
            run.attempt,
            run.actor_name,
            post.outbox.alias,
            post.database,
            run.queue_name,
            run.created_at,
        ),
        settle=job.succeed if job.stored else None,
        note=lambda progress: _note(job, *progress),
        slot=lambda: _slot(job),
    )


def _slot(job: Job) -> datetime | None:
    fires = Fire.objects.using(job.post.database).filter(run_id=job.run.pk)
    return fires.values_list("slot", flat=True).first()


def _note(job: Job, done: int, total: int, words: str) -> None:
    # The body may say it in a thread of its own, where nothing is hidden.
    with hiding(job.secrets):
        told = runs.readable(redact(str(words)))
    runs.note_progress(job.post.database, job.run, [done, total, told])


def _guarded(job: Job, current: CurrentRun) -> Any:
    limit = job.options.time_limit
    return job.post.lease.interrupts.guard(
        lambda: _body(job, current),
        key=job.run.pk,
        seconds=None if limit is None else limit / 1000,
        on_shutdown=job.options.notify_shutdown,
        on_stuck=lambda: _stuck(job, current),
    )


def _body(job: Job, current: CurrentRun) -> Any:
    if not job.options.atomic:
        return _call(job)
    with current.atomic() as settling:
        settling.result = _call(job)
    return settling.result


def _call(job: Job) -> Any:
    secrets = job.actor.secrets
    piped = map(decrypt, job.piped) if secrets else job.piped
    given = [*job.run.args, *piped]
    args, kwargs = decrypt_arguments(job.actor.fn, secrets, given, job.run.kwargs)
    value = _finish(job, job.actor(*args, **kwargs))
    if job.wants_result:
        _check_result(job, value)
    return value


def _finish(job: Job, value: Any) -> Any:
    """Await a coroutine; refuse what has not run yet and will not."""
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        problem = "a generator, of which no line has run. Return a list"
        raise InvalidResult(job.run.actor_name, problem)
    if not inspect.iscoroutine(value):
        return value
    if not job.options.atomic:
        return job.post.finish(value)
    value.close()
    problem = "a coroutine, which would run outside of the transaction of atomic=True"
    raise InvalidResult(job.run.actor_name, problem)


def _check_result(job: Job, value: Any) -> None:
    try:
        size = size_of(value)
    except ValueError as error:
        raise InvalidResult(job.run.actor_name, f"it is not JSON: {error}") from None
    if size > job.post.max_payload:
        raise InvalidResult(
            job.run.actor_name, f"it takes {size} bytes of {job.post.max_payload}"
        )


def _succeeded(job: Job, current: CurrentRun, value: Any) -> None:
    if current.settled:
        job.keep_result(value)
        return
    settled, unkept = False, None
    try:
        settled = job.succeed(value)
    except InvalidResult as error:
        unkept = error
    if unkept is not None:
        job.fail(unkept)  # not in the `except`: see `_outcome`
    elif not settled:
        logger.warning(
            "%s ended after it had been given to another worker; attempt %d does not"
            " count.",
            job.name,
            job.run.attempt,
        )


def _failed(job: Job, current: CurrentRun, error: BaseException) -> None:
    if current.settled:
        logger.error("%s raised after it had been settled.\n%s", job.name, trace(error))
    elif isinstance(error, Cancelled):
        job.stop("cancelled while it ran")
    else:
        job.fail(error)


def _stuck(job: Job, current: CurrentRun) -> None:
    """Settle a body that does not stop, and leave its process to die."""
    if not current.settled:
        job.fail(TimeLimitExceeded("it could not be interrupted"))
    overrun.retire(job.post.lease, job.run.pk)
