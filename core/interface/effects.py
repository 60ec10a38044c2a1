"""Effects outside the database: mails, payments, calls of other services.

No transaction reaches there. So the intent is written before, the outcome after; what
lies between is shown as unknown, and is repeated or asked about as its actor says.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

from core.broker.handler import brokers
from core.errors import InvalidOption
from core.options import MAX_NAME
from core.wire.intent import Intent
from core.worker.current import CurrentRun, current_run

T = TypeVar("T")

POLICIES = ("repeat", "ask")


def effect(
    name: str,
    perform: Callable[[str], T],
    *,
    key: str | None = None,
    on_unknown: Literal["repeat", "ask"] = "repeat",
    not_done: tuple[type[BaseException], ...] = (),
) -> T:
    """Call `perform` unless it is known to have worked; return what it returned, JSON.

    It is given an idempotency key to pass on, the same at every try: that of its run
    and `name`, or `key`, which several runs may share. Give it to the other side (a
    payment's idempotency key, a mail's Message-ID): then a second try does no harm.

    When nobody knows whether it worked, since its process died or it raised anything
    but `not_done`, the next attempt repeats it, or with `on_unknown="ask"` raises
    `EffectUnknown` and is dead until someone has said what happened, in the admin or
    with `control.answer`, and has requeued it. Raises `EffectBusy`, a `Retry`, while
    another run performs it, and `InsideTransaction` where the intent could be rolled
    back.
    """
    run = current_run()
    intent = _intent(run, name, key, on_unknown)
    alias = "default" if run is None else run.broker
    outcome: T = brokers[alias].perform_effect(intent, perform, not_done)
    return outcome


def _intent(
    run: CurrentRun | None,
    name: str,
    key: str | None,
    on_unknown: Literal["repeat", "ask"],
) -> Intent:
    """Return what is meant to happen, checked."""
    _check("name", name)
    if key is not None or run is None:
        _check("key", key)
    if on_unknown not in POLICIES:
        raise InvalidOption("on_unknown", on_unknown, f"one of {', '.join(POLICIES)}")
    if run is None:
        return Intent(name, str(key), on_unknown)
    key = f"{run.id}.{name}" if key is None else key
    return Intent(name, key, on_unknown, run.actor_name, run.id, run.attempt)


def _check(option: str, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise InvalidOption(option, value, f"a string of 1 to {MAX_NAME} characters")
