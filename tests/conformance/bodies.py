"""What the actors of the promises do: leave effects, wait for a test."""

import os
import time

from core import current_run
from tests.conformance.models import Effect, Gate


def effect(key: str) -> None:
    run = current_run()
    Effect.objects.create(key=key, run_id=run.id, attempt=run.attempt, pid=os.getpid())


def at_the_end(key: str) -> str:
    """Return the gate that opens at the end of the test that a key belongs to."""
    return f"{key.partition('/')[0]}/end"


def wait_for_gate(key: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    opening = Gate.objects.filter(key__in=(key, at_the_end(key)))
    while not opening.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody opened the gate {key}")
        time.sleep(0.05)
