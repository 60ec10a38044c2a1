"""Putting raw bytes where an engine looks for its messages."""

import pika
import redis

from tests.conformance.stacks import Stack


def inject(stack: Stack, body: bytes, queue: str = "default") -> None:
    """Put `body` into the queue as if a stranger had written it there."""
    physical = stack.broker.outbox.physical(queue)
    if stack.alias.endswith("rabbitmq"):
        _into_rabbitmq(stack.broker.backend.url, physical, body)
    elif stack.alias == "celery_valkey":
        with redis.Redis.from_url(stack.broker.backend.url) as client:
            client.lpush(physical, body)
    else:
        _into_dramatiq_on_redis(stack.broker.backend.url, physical, body)


def _into_rabbitmq(url: str, queue: str, body: bytes) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().basic_publish("", queue, body)
    connection.close()


def _into_dramatiq_on_redis(url: str, queue: str, body: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        namespace = "dramatiq"
        client.hset(f"{namespace}:{queue}.msgs", "injected", body)
        client.rpush(f"{namespace}:{queue}", "injected")
