"""Putting raw bytes where an engine looks for its messages."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pika
import redis

from tests.conformance.stacks import Stack


def inject(stack: Stack, body: bytes, queue: str = "default") -> None:
    """Put `body` into the queue as if a stranger had written it there."""
    url, physical = stack.broker.backend.url, stack.broker.outbox.physical(queue)
    kind = f"{stack.broker.backend.engine}+{urlsplit(url).scheme}"
    WAYS[kind](url, physical, body)


def _into_rabbitmq(url: str, queue: str, body: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().basic_publish("", queue, body)
    connection.close()


def _into_celery_on_redis(url: str, queue: str, body: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        client.lpush(queue, body)


def _into_dramatiq_on_redis(url: str, queue: str, body: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        namespace = "dramatiq"
        client.hset(f"{namespace}:{queue}.msgs", "injected", body)
        client.rpush(f"{namespace}:{queue}", "injected")


def _into_the_toy(url: str, queue: str, body: bytes) -> None:
    Path(urlsplit(url).path, "waiting", queue, "0-injected").write_bytes(body)


#: The engine and the URL's scheme -> how a stranger writes there: (url, queue, body).
WAYS: Mapping[str, Callable[[str, str, bytes], None]] = {
    "celery+amqp": _into_rabbitmq,
    "celery+redis": _into_celery_on_redis,
    "dramatiq+amqp": _into_rabbitmq,
    "dramatiq+redis": _into_dramatiq_on_redis,
    "toy+file": _into_the_toy,
}
