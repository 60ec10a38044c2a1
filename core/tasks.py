"""The actors that every worker knows because core is installed."""

import os
import socket
import time
from datetime import timedelta
from typing import Final

from core.broker.handler import brokers
from core.interface.actors import actor
from core.models import CanaryMark
from core.worker.current import current_run

CANARY: Final = "core.canary"


class CanaryFailed(Exception):
    """A canary fails once because it was told to; its retry succeeds."""


@actor(
    actor_name=CANARY,
    durable=True,
    max_retries=20,
    min_backoff=timedelta(seconds=0.2),
    max_backoff=timedelta(seconds=5),
    time_limit=timedelta(minutes=1),
)
def canary(token: str, number: int, hold: float = 0, fail: bool = False) -> None:
    """Leave one mark, for `manage.py tasks chaos`. Exactly one effect."""
    run = current_run()
    if run is None:
        raise RuntimeError("A canary is sent, not called.")
    # Before the transaction: on SQLite it would keep everybody from writing.
    time.sleep(hold)
    with run.atomic():
        CanaryMark.objects.using(brokers[run.broker].database).create(
            token=token,
            number=number,
            attempt=run.attempt,
            process=f"{socket.gethostname()}:{os.getpid()}",
        )
        if fail and run.attempt == 1:
            raise CanaryFailed("told to fail once; its mark is rolled back")
