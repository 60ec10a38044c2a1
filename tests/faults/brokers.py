"""What befalls a broker's data while the broker stays up."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
import redis

from tests.faults.rig import Rig


def client(rig: Rig) -> "redis.Redis[bytes]":
    """Return a client of the rig's Valkey."""
    return redis.Redis.from_url(rig.broker.url)


@contextmanager
def channel(rig: Rig) -> Iterator[Any]:
    """Open a channel to the rig's RabbitMQ."""
    with pika.BlockingConnection(pika.URLParameters(rig.broker.url)) as connection:
        yield connection.channel()


def queues(rig: Rig) -> list[str]:
    """Return the names of the shop's queues at RabbitMQ."""
    return [
        f"{rig.name}.{rig.engine}.default.{queue}"
        for queue in ("default", "email", "events")
    ]


def forget_messages(rig: Rig) -> None:
    """FLUSHALL, or purge of every queue."""
    if rig.broker.name == "valkey":
        with client(rig) as valkey:
            valkey.flushall()
        return
    for queue in queues(rig):
        with channel(rig) as opened:
            opened.queue_purge(queue)


def delete_queues(rig: Rig) -> None:
    """Delete every queue; on Valkey that is what a flush does."""
    if rig.broker.name == "valkey":
        forget_messages(rig)
        return
    for queue in queues(rig):
        with channel(rig) as opened:
            opened.queue_delete(queue)


def waiting(rig: Rig) -> int:
    """Count what waits at the broker in the shop's queues, whatever it is."""
    return sum(depth(rig, queue) for queue in queues(rig))


def depth(rig: Rig, queue: str) -> int:
    """Count what waits in one queue, in the lists of all bands."""
    if rig.broker.name == "valkey":
        # Kombu's bands are set off by two control characters, ours for Dramatiq by :b.
        band = re.compile(rf"(dramatiq:)?{re.escape(queue)}(\x06\x16\d|:b\d)?")
        with client(rig) as valkey:
            keys = [key.decode() for key in valkey.keys(f"*{queue}*")]
            return sum(valkey.llen(key) for key in keys if band.fullmatch(key))
    with channel(rig) as opened:
        return int(opened.queue_declare(queue, passive=True).method.message_count)
