"""A little of everything: steps, a callback, a retry, a message without a row."""

import logging
from typing import Any

from core import BrokerUnavailable, actor, current_run
from tests.services.waiting import wait_for

logger = logging.getLogger(__name__)


@actor(store_results=True)
def first() -> int:
    logger.info("First.", extra={"step": 1})
    return 1


@actor
def second(number: int) -> None:
    logger.info("Second.")


@actor
def told(message: dict[str, Any], said: Any) -> None:
    logger.info("Told.")


@actor(min_backoff=0, max_retries=1, on_success=told)
def flaky(password: str) -> None:
    run = current_run()
    logger.info("Attempt %d.", run.attempt)
    if run.attempt == 1:
        raise ValueError(f"the password is {password}")


@actor(queue_name="direct", durable=False)
async def direct() -> None:
    logger.info("Direct.")


def send_all() -> None:
    (first.message() | second.message()).run()
    flaky.send("hunter2")
    wait_for(send_directly, 30)


def send_directly() -> bool:
    """Say whether the broker took it in time; a starved machine may need two tries."""
    try:
        direct.send()
    except BrokerUnavailable:
        logger.exception("The broker is there, but slow.")
        return False
    return True
