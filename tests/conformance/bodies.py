"""What the actors of the promises do: leave effects, wait for a test."""

import os
import time

from core import current_run
from tests.conformance.models import Effect, Gate


def effect(key: str) -> None:
    run = current_run()
    Effect.objects.create(key=key, run_id=run.id, attempt=run.attempt, pid=os.getpid())


def wait_for_gate(key: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not Gate.objects.filter(key=key).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody opened the gate {key}")
        time.sleep(0.05)
