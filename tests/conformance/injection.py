"""Putting raw bytes where an engine looks for its messages."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pika
import redis
from django.utils.module_loading import import_string

from tests.conformance.stacks import Stack


def inject(stack: Stack, payload: bytes, queue: str = "default") -> None:
    """Put `payload` into the queue as if a stranger had written it there."""
    backend, physical = stack.broker.backend, stack.broker.sender.physical(queue)
    _way(f"{backend.engine}+{urlsplit(backend.url).scheme}")(
        backend.url, physical, payload
    )


def _way(kind: str) -> Callable[[str, str, bytes], None]:
    if "TEST_BACKEND_INJECT" in os.environ:
        return import_string(os.environ["TEST_BACKEND_INJECT"])
    if kind not in WAYS:
        raise LookupError(f"No way to write to {kind}: name one with --inject.")
    return WAYS[kind]


def _into_rabbitmq(url: str, queue: str, payload: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().basic_publish("", queue, payload)
    connection.close()


def _into_celery_on_redis(url: str, queue: str, payload: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        client.lpush(queue, payload)


def _into_dramatiq_on_redis(url: str, queue: str, payload: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        namespace = "dramatiq"
        client.hset(f"{namespace}:{queue}.msgs", "injected", payload)
        client.rpush(f"{namespace}:{queue}", "injected")


def _into_the_toy(url: str, queue: str, payload: bytes) -> None:
    folder = Path(urlsplit(url).path, "waiting", queue)
    (folder / ".injected").write_bytes(payload)  # a worker must not read half of it
    (folder / ".injected").rename(folder / "0-injected")


#: The engine and the URL's scheme -> how a stranger writes: (url, queue, payload).
WAYS: Mapping[str, Callable[[str, str, bytes], None]] = {
    "celery+amqp": _into_rabbitmq,
    "celery+redis": _into_celery_on_redis,
    "dramatiq+amqp": _into_rabbitmq,
    "dramatiq+redis": _into_dramatiq_on_redis,
    "toy+file": _into_the_toy,
}
