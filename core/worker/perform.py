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
from core.worker.claimed import ClaimedRun
from core.worker.current import Attempt, CurrentRun, performing

logger = logging.getLogger(__name__)


def perform(claimed: ClaimedRun) -> None:
    """Run the body of a claimed run once and settle what came of it."""
    current = _current(claimed)
    # Around the middleware, too: it may ask which attempt it is.
    with hiding(claimed.secrets), performing(current):
        _perform(claimed, current)


def _perform(claimed: ClaimedRun, current: CurrentRun) -> None:
    middleware = claimed.context.middleware
    message = claimed.message if middleware.members else None
    try:
        middleware.before("process_message", message)
    except SkipMessage as skip:
        claimed.stop(redact(f"skipped: {skip}"))
        middleware.after("skip_message", message)
        return
    # Passed on, not kept here: its traceback leads to this frame.
    _settle(claimed, current, message, *_outcome(claimed, current))
    middleware.before("ack", message)
    middleware.after("ack", message)


def _outcome(
    claimed: ClaimedRun, current: CurrentRun
) -> tuple[Any, BaseException | None]:
    """Return what the body returned, or what it raised.

    What fails while that is settled must not have it as its context: engines log what
    comes out of a delivery.
    """
    before = transactions.in_transaction()
    try:
        value = _guarded(claimed, current)
    except BaseException as error:  # the actor's own code: anything may come out
        transactions.roll_back(before)
        return None, error
    return value, transactions.roll_back(before)


def _settle(
    claimed: ClaimedRun,
    current: CurrentRun,
    message: Envelope | None,
    value: Any,
    error: BaseException | None,
) -> None:
    middleware = claimed.context.middleware
    if isinstance(error, Interrupt):
        # The connection may be in the middle of anything.
        connections.close_all()
    if isinstance(error, LeaseLost):
        logger.error("Dropped %s: %s", claimed.name, redact(str(error)))
    elif error is None:
        middleware.after("process_message", message, result=value)
        _succeeded(claimed, current, value)
    else:
        middleware.after("process_message", message, exception=error)
        _failed(claimed, current, error)
        here = not claimed.context.outbox.backend.supports_worker
        if isinstance(error, KeyboardInterrupt) and here:
            # A Ctrl-C where the run is performed in the caller's process. Not the one
            # that the body met: whoever logs it would tell the body's words.
            raise KeyboardInterrupt


def _current(claimed: ClaimedRun) -> CurrentRun:
    run, context = claimed.run, claimed.context
    return CurrentRun(
        Attempt(
            str(run.pk),
            run.attempt,
            run.actor_name,
            context.outbox.alias,
            context.database,
            run.queue_name,
            run.created_at,
        ),
        settle=claimed.succeed if claimed.stored else None,
        note=lambda progress: _note(claimed, *progress),
        slot=lambda: _slot(claimed),
    )


def _slot(claimed: ClaimedRun) -> datetime | None:
    fires = Fire.objects.using(claimed.context.database).filter(run_id=claimed.run.pk)
    return fires.values_list("slot", flat=True).first()


def _note(claimed: ClaimedRun, done: int, total: int, words: str) -> None:
    # The body may say it in a thread of its own, where nothing is hidden.
    with hiding(claimed.secrets):
        told = runs.readable(redact(str(words)))
    runs.note_progress(claimed.context.database, claimed.run, [done, total, told])


def _guarded(claimed: ClaimedRun, current: CurrentRun) -> Any:
    limit = claimed.options.time_limit
    return claimed.context.lease.interrupts.guard(
        lambda: _body(claimed, current),
        key=claimed.run.pk,
        seconds=None if limit is None else limit / 1000,
        on_shutdown=claimed.options.notify_shutdown,
        on_stuck=lambda: _stuck(claimed, current),
    )


def _body(claimed: ClaimedRun, current: CurrentRun) -> Any:
    if not claimed.options.atomic:
        return _call(claimed)
    with current.atomic() as settling:
        settling.result = _call(claimed)
    return settling.result


def _call(claimed: ClaimedRun) -> Any:
    actor, run = claimed.actor, claimed.run
    args, kwargs = (*run.args, *claimed.piped), run.kwargs
    if actor.secrets:
        given = [*run.args, *map(decrypt, claimed.piped)]
        args, kwargs = decrypt_arguments(actor.fn, actor.secrets, given, kwargs)
    value = _finish(claimed, actor(*args, **kwargs))
    if claimed.wants_result:
        _check_result(claimed, value)
    return value


def _finish(claimed: ClaimedRun, value: Any) -> Any:
    """Await a coroutine; refuse what has not run yet and will not."""
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        problem = "a generator, of which no line has run. Return a list"
        raise InvalidResult(claimed.run.actor_name, problem)
    if not inspect.iscoroutine(value):
        return value
    if not claimed.options.atomic:
        return claimed.context.finish(value)
    value.close()
    problem = "a coroutine, which would run outside of the transaction of atomic=True"
    raise InvalidResult(claimed.run.actor_name, problem)


def _check_result(claimed: ClaimedRun, value: Any) -> None:
    try:
        size = size_of(value)
    except ValueError as error:
        raise InvalidResult(
            claimed.run.actor_name, f"it is not JSON: {error}"
        ) from None
    if size > claimed.context.max_payload:
        raise InvalidResult(
            claimed.run.actor_name,
            f"it takes {size} bytes of {claimed.context.max_payload}",
        )


def _succeeded(claimed: ClaimedRun, current: CurrentRun, value: Any) -> None:
    if current.settled:
        claimed.keep_result(value)
        return
    settled, unkept = False, None
    try:
        settled = claimed.succeed(value)
    except InvalidResult as error:
        unkept = error
    if unkept is not None:
        claimed.fail(unkept)  # not in the `except`: see `_outcome`
    elif not settled:
        logger.warning(
            "%s ended after it had been given to another worker; attempt %d does not"
            " count.",
            claimed.name,
            claimed.run.attempt,
        )


def _failed(claimed: ClaimedRun, current: CurrentRun, error: BaseException) -> None:
    if current.settled:
        logger.error(
            "%s raised after it had been settled.\n%s", claimed.name, trace(error)
        )
    elif isinstance(error, Cancelled):
        claimed.stop("cancelled while it ran")
    else:
        claimed.fail(error)


def _stuck(claimed: ClaimedRun, current: CurrentRun) -> None:
    """Settle a body that does not stop, and leave its process to die."""
    if not current.settled:
        claimed.fail(TimeLimitExceeded("it could not be interrupted"))
    overrun.retire(claimed.context.lease, claimed.run.pk)
