"""An effect outside the database: intent, the effect itself, outcome."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import Error

from core import runs
from core.errors import InvalidResult, LeaseLost
from core.models import EffectState
from core.secrets.redaction import redact, trace
from core.wire.envelope import size_of
from core.wire.intent import Intent

logger = logging.getLogger(__name__)


def perform_effect(
    database: str,
    intent: Intent,
    perform: Callable[[str], Any],
    not_done: tuple[type[BaseException], ...],
) -> Any:
    """Call `perform` unless it is known to have worked; see `core.effect`."""
    found = runs.intend(database, intent)
    if found.token != intent.token:
        return found.value
    try:
        outcome = perform(intent.key)
    except not_done as error:
        _note(database, intent, EffectState.FAILED, error)
        raise
    except BaseException as error:  # whatever it was, it may have happened before
        _note(database, intent, EffectState.UNKNOWN, error)
        raise
    problem = _problem(outcome)
    kept = None if problem else outcome
    if not runs.settle(database, intent, EffectState.DONE, value=kept):
        raise LeaseLost(f"effect {intent.key}: somebody else performs it by now")
    if problem:
        raise InvalidResult(f"effect {intent.name!r}", problem)
    return outcome


def _problem(outcome: Any) -> str:
    """Return why an outcome cannot be kept; "" if it can."""
    try:
        size_of(outcome)
    except ValueError as error:
        return f"it is not JSON: {error}"
    return ""


def _note(
    database: str, intent: Intent, state: EffectState, error: BaseException
) -> None:
    """Write an outcome down; without a database the next look tells it is unknown."""
    try:
        runs.settle(database, intent, state, error=redact(repr(error)))
    except Error as raised:
        # Its context is what the body raised.
        logger.error(
            "Could not write down what came of effect %s.\n%s",
            intent.key,
            trace(raised),
        )
