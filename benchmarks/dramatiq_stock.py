"""Stock Dramatiq: its defaults, without Prometheus."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks import body, sending

dramatiq.set_broker(RedisBroker(url=body.URL))


@dramatiq.actor
def bump() -> None:
    """Count one message as done."""
    body.bump()


if __name__ == "__main__":
    sending.run(bump.send)
