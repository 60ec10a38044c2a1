"""What Dramatiq writes to Redis."""

import json
from typing import Any

import redis

from tests.backends.receivers import QUEUE

LIST = f"dramatiq:{QUEUE}"
MESSAGES = f"dramatiq:{QUEUE}.msgs"


def refuse(*_: object) -> None:
    raise redis.ConnectionError


def encoded(**fields: Any) -> bytes:
    whole = {
        "queue_name": QUEUE,
        "actor_name": "shop.tasks.send_receipt",
        "args": ["signed"],
        "kwargs": {},
        "options": {},
        "message_id": "an-id",
        "message_timestamp": 1,
    }
    return json.dumps({**whole, **fields}).encode()
