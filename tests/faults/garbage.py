"""What a stranger may write into a queue: every kind that an engine chokes on."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pika

from tests.faults.brokers import channel, client
from tests.faults.rig import Rig

#: Bodies that no engine understands.
BODIES = (
    b"",
    b"\xff\x00 random",
    b"hello",
    b"7",
    b"null",
    b"{}",
    b"[1]",
    b"{nope",
    b'[["signed"], {}]',
    b'[["signed"], [], {}]',
    b'[["signed"], {}, [1]]',
    b'[["signed", "more"], {}, {}]',
    b"[[7], {}, {}]",
    b"[" * 100_000,
    b"1" * 10_000,
    b"x" * 10 * 2**20,
)
#: In the form of a message, with a signature that nobody of us made.
FORGED = "0c5f4a0e-6a3a-4bb5-9d0c-0f7b8d5c9f11:" + "x" * 43
ACTOR = "shop.tasks.log_order_processing"


def inject(rig: Rig) -> int:
    """Write every kind into the shop's default queue; return how many."""
    queue = f"{rig.name}.{rig.engine}.default.default"
    write = {
        ("celery", "valkey"): _celery_on_redis,
        ("celery", "rabbitmq"): _celery_on_rabbitmq,
        ("dramatiq", "valkey"): _dramatiq_on_redis,
        ("dramatiq", "rabbitmq"): _dramatiq_on_rabbitmq,
    }[rig.engine, rig.broker.name]
    return write(rig, queue)


def _headers() -> Iterator[Any]:
    yield {"id": "1"}
    yield {"task": ACTOR}
    yield {"task": ["list"], "id": "1"}
    yield {"task": ACTOR, "id": 5}
    yield {"task": ACTOR, "id": "1", "eta": "soon"}
    yield {"task": ACTOR, "id": "1", "expires": "soon"}


def _celery_body() -> bytes:
    return json.dumps([[FORGED], {}, {}]).encode()


def _celery_on_redis(rig: Rig, queue: str) -> int:
    items = [body for body in BODIES if body]
    for headers in (None, ["task"], *_headers(), {"task": ACTOR, "id": "1"}):
        body = base64.b64encode(_celery_body()).decode()
        message = {
            "body": body,
            "headers": headers,
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "properties": {"body_encoding": "base64", "delivery_tag": "t"},
        }
        items.append(json.dumps(message).encode())
    with client(rig) as valkey:
        for item in items:
            valkey.lpush(queue, item)
    return len(items)


def _celery_on_rabbitmq(rig: Rig, queue: str) -> int:
    good = {"task": ACTOR, "id": "1"}
    kinds = [(body, good, "application/json") for body in BODIES]
    kinds += [(_celery_body(), headers, "application/json") for headers in _headers()]
    kinds += [(_celery_body(), good, "application/x-python-serialize")]
    kinds += [(_celery_body(), None, None), (_celery_body(), good, "application/json")]
    with channel(rig) as opened:
        for body, headers, kind in kinds:
            properties = pika.BasicProperties(headers=headers, content_type=kind)
            opened.basic_publish("", queue, body, properties)
    return len(kinds)


def _dramatiq_bodies(queue: str) -> list[bytes]:
    fields: dict[str, Any] = {
        "queue_name": queue,
        "actor_name": ACTOR,
        "args": [FORGED],
        "kwargs": {},
        "options": {},
        "message_id": "0c5f4a0e-6a3a-4bb5-9d0c-0f7b8d5c9f11",
        "message_timestamp": 1,
    }
    changes: list[dict[str, Any]] = [
        {},
        {"args": "signed"},
        {"args": [1]},
        {"args": ["signed", "signed"]},
        {"kwargs": {"x": 1}},
        {"queue_name": "other"},
    ]
    odd = [json.dumps({**fields, **change}).encode() for change in changes]
    return [*BODIES, *odd]


def _dramatiq_on_redis(rig: Rig, queue: str) -> int:
    bodies = _dramatiq_bodies(queue)
    with client(rig) as valkey:
        for number, body in enumerate(bodies):
            valkey.hset(f"dramatiq:{queue}.msgs", f"bad-{number}", body)
            valkey.rpush(f"dramatiq:{queue}", f"bad-{number}")
    return len(bodies)


def _dramatiq_on_rabbitmq(rig: Rig, queue: str) -> int:
    bodies = _dramatiq_bodies(queue)
    with channel(rig) as opened:
        for body in bodies:
            opened.basic_publish("", queue, body)
    return len(bodies)
