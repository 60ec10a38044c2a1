"""Another service that listens: it knows the broker, and nothing of Django or of us."""

import json
from typing import Any

import pika
import redis


class RabbitListener:
    """A durable queue of its own, bound to the exchange; it may be away at times."""

    def __init__(self, url: str, place: str) -> None:
        self.url, self.queue = url, f"{place}.listener"
        with pika.BlockingConnection(pika.URLParameters(url)) as connection:
            channel = connection.channel()
            channel.exchange_declare(place, "fanout", durable=True)
            channel.queue_declare(self.queue, durable=True)
            channel.queue_bind(self.queue, place)

    def hear(self) -> list[dict[str, Any]]:
        """Connect, take what there is, and go away again."""
        found = []
        with pika.BlockingConnection(pika.URLParameters(self.url)) as connection:
            channel = connection.channel()
            while (got := channel.basic_get(self.queue, auto_ack=True))[0]:
                assert got[1].content_type == "application/cloudevents+json"
                found.append(json.loads(got[2]))
        return found


class RedisListener:
    """Reads the stream from where it left it."""

    def __init__(self, url: str, place: str) -> None:
        self.url, self.place = url, place
        self.last = b"0"

    def hear(self) -> list[dict[str, Any]]:
        """Connect, read what is new, and go away again."""
        with redis.Redis.from_url(self.url) as client:
            entries = client.xrange(self.place, min=b"(" + self.last)
        if entries:
            self.last = entries[-1][0]
        return [json.loads(fields[b"event"]) for _, fields in entries]


def listener(alias: str, url: str, place: str) -> RabbitListener | RedisListener:
    """Return the one for the combination's broker."""
    kind = RabbitListener if alias.endswith("rabbitmq") else RedisListener
    return kind(url, place)
