"""The body: run under its limits, with the middleware around it, then settled."""

import inspect
import json
import logging
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
from core.secret import unseal
from core.worker import overrun
from core.worker.current import CurrentRun, performing
from core.worker.job import Job

logger = logging.getLogger(__name__)


def perform(job: Job) -> None:
    """Run the body of a job once and settle what came of it."""
    current = _current(job)
    chain, message = job.post.chain, job.message if job.post.chain.links else None
    try:
        chain.before("process_message", message)
    except SkipMessage as error:
        job.stop(f"skipped: {error}")
        chain.after("skip_message", message)
        return
    try:
        with performing(current):
            value = _guarded(job, current)
    except LeaseLost as error:
        # The connection may be in the middle of anything.
        connections.close_all()
        logger.error("Dropped %s: %s", job.name, error)
    except BaseException as error:  # the actor's own code: anything may come out
        if isinstance(error, Interrupt):
            connections.close_all()
        chain.after("process_message", message, exception=error)
        _failed(job, current, error)
        if isinstance(error, KeyboardInterrupt):
            raise  # a Ctrl-C where the run is performed in the caller's process
    else:
        chain.after("process_message", message, result=value)
        _succeeded(job, current, value)
    chain.before("ack", message)
    chain.after("ack", message)


def _current(job: Job) -> CurrentRun:
    run = job.run
    return CurrentRun(
        str(run.pk),
        run.attempt,
        job.post.database,
        settle=job.succeed if job.stored else None,
        note=lambda progress: runs.note_progress(job.post.database, run, progress),
    )


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
    run = job.run
    piped = [] if job.options.pipe_ignore else run.piped or []
    args, kwargs = unseal(job.actor.fn, job.actor.secrets, run.args, run.kwargs)
    value = job.actor(*args, *piped, **kwargs)
    if inspect.iscoroutine(value):
        value = job.post.finish(value)
    if job.wants_result:
        _check_result(job, value)
    return value


def _check_result(job: Job, value: Any) -> None:
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidResult(job.run.actor_name, f"it is not JSON: {error}") from None
    if size > job.post.max_payload:
        raise InvalidResult(
            job.run.actor_name, f"it takes {size} bytes of {job.post.max_payload}"
        )


def _succeeded(job: Job, current: CurrentRun, value: Any) -> None:
    if current.settled:
        job.keep_result(value)
    elif not job.succeed(value):
        logger.warning(
            "%s ended after it had been given to another worker; attempt %d does not"
            " count.",
            job.name,
            job.run.attempt,
        )


def _failed(job: Job, current: CurrentRun, error: BaseException) -> None:
    if current.settled:
        logger.error("%s raised after it had been settled.", job.name, exc_info=error)
    elif isinstance(error, Cancelled):
        job.stop("cancelled while it ran")
    else:
        job.fail(error)


def _stuck(job: Job, current: CurrentRun) -> None:
    """Settle a body that does not stop, and leave its process to die."""
    if not current.settled:
        job.fail(TimeLimitExceeded("it could not be interrupted"))
    overrun.retire(job.post.lease, job.run.pk)
