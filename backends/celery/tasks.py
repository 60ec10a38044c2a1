"""The native task of every actor: its body is `deliver`, and nothing else."""

import base64
import logging
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.exceptions import Reject

from backends.celery.reading import PARK, UNDECLARED
from core.backend import Receiver

logger = logging.getLogger(__name__)

#: Seconds before a message that failed is returned, so that it does not spin.
PAUSE = 1.0


def register(app: Celery, receiver: Receiver) -> None:
    """Give every declared actor its task; what has one keeps it."""
    for name in (*receiver.actors(), UNDECLARED):
        if name not in app.tasks:
            app.task(_deliver(receiver), name=name, bind=True, shared=False)
    if PARK not in app.tasks:
        app.task(_park(receiver), name=PARK, bind=True, shared=False)


def _deliver(receiver: Receiver) -> Callable[[Any, str], None]:
    # A closure: Celery would drop the `self` of a bound method.
    def run(task: Any, payload: str) -> None:
        queue = _queue(task)
        try:
            _or_give_back(receiver.deliver, queue, payload)
        except Reject:
            raise
        except BaseException as exc:  # Celery returns a SystemExit at once, for ever
            logger.exception("Delivery of %s was torn down.", task.request.id)
            reason = f"its delivery raised {ascii(exc)[:200]}"
            raw = payload.encode("utf-8", "surrogatepass")
            _or_give_back(receiver.park, queue, raw, reason)

    return run


def _park(receiver: Receiver) -> Callable[[Any, str, str], None]:
    def run(task: Any, raw: str, reason: str) -> None:
        parked = base64.b64decode(raw)
        _or_give_back(receiver.park, _queue(task), parked, reason)

    return run


def _queue(task: Any) -> str:
    return str(task.request.delivery_info["routing_key"])


def _or_give_back(settle: Callable[..., None], *args: Any) -> None:
    try:
        settle(*args)
    except Exception as exc:  # core's, or its database's: the message must stay
        logger.exception("Gave a message back to the broker.")
        time.sleep(PAUSE)
        raise Reject(exc, requeue=True) from exc
