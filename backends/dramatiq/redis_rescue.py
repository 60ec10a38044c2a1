"""Giving back what dead workers held on Redis; every living worker looks for them."""

import re
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.dramatiq.redis_broker import RedisBroker

#: Seconds between two looks for dead workers, or `dead_after` if that is less.
RESCUE_INTERVAL = 10.0
#: The names of workers: ours, and stock Dramatiq's.
WORKER_ID = re.compile(rb"[0-9a-f-]{36}")


class Rescue:
    """Looks now and then, in whichever consumer's thread comes by."""

    def __init__(self, broker: "RedisBroker") -> None:
        self._broker = broker
        self._lock = threading.Lock()
        self._next_look = 0.0
        self.note_outage()

    def note_outage(self) -> None:
        """Start to count anew how long this worker has reached Redis without a gap."""
        self._steady_since = time.monotonic()

    def look(self) -> None:
        """Give back what dead workers held, in all queues, if it is time to."""
        now = time.monotonic()
        dead_after = self._broker.options.dead_after
        # After an outage everyone's heartbeat is old, of the living too.
        if now < max(self._next_look, self._steady_since + dead_after):
            return
        if self._lock.acquire(blocking=False):
            try:
                self._next_look = now + min(RESCUE_INTERVAL, dead_after)
                self._rescue_all(int(dead_after * 1000))
            finally:
                self._lock.release()

    def _rescue_all(self, silence: int) -> None:
        broker = self._broker
        heartbeats = broker.key("__heartbeats__")
        for worker in broker.run("DEAD", [heartbeats], [silence]):
            # Anyone can write here, and "*" would match the sets of the living.
            if WORKER_ID.fullmatch(worker):
                self._rescue_one(broker.key("__acks__", worker.decode(), ""))
            broker.client.zrem(heartbeats, worker)

    def _rescue_one(self, prefix: str) -> None:
        for key in self._broker.client.scan_iter(match=f"{prefix}*", count=1000):
            queue = key.decode(errors="replace").removeprefix(prefix)
            self._broker.run("RESCUE", [self._broker.key(queue), key])
