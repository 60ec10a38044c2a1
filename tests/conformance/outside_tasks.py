"""Actors with an effect outside the database, whose process dies in the middle."""

import os
import signal

import core
from core import actor, current_run
from tests.conformance.bodies import effect


def call(key: str) -> str:
    """Do it, and die of it the first time."""
    effect(key)
    if current_run().attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "a receipt"


@actor(min_backoff=10, max_backoff=10)
def call_again(key: str) -> None:
    """Have an effect that may be repeated."""
    core.effect("call", lambda _: call(key), key=key)


@actor(min_backoff=10, max_backoff=10)
def call_but_ask(key: str) -> None:
    """Have an effect that somebody must be asked about."""
    core.effect("call", lambda _: call(key), key=key, on_unknown="ask")
