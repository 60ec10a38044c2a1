"""Consume one queue on Redis: take, hold, settle; survive what Redis does.

An acknowledgement is owed, and sent with the next fetch, which follows at once while
there is work; one that fails is owed on. A fetch whose answer was lost has moved ids to
this worker that it does not know of: after every fault the consumer compares what Redis
says it holds with what it does hold.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dramatiq import MessageProxy
from redis import RedisError

from backends.dramatiq.consumer import CourierConsumer
from backends.dramatiq.wire import Delivery

if TYPE_CHECKING:
    from backends.dramatiq.redis_broker import RedisBroker

logger = logging.getLogger(__name__)

#: Seconds between two signs of life while every thread is busy.
HEARTBEAT = 5.0


class RedisConsumer(CourierConsumer):
    """See the module."""

    broker: "RedisBroker"

    def __init__(
        self, broker: "RedisBroker", queue: str, prefetch: int, timeout: int
    ) -> None:
        super().__init__(broker, queue, prefetch, timeout)
        self._list = broker.key(queue)
        self._bell = broker.key(f"{queue}:bell")
        self._msgs = broker.key(queue, "msgs")
        self._acks = broker.acks_key(queue)
        self._fetched: deque[tuple[bytes, bytes | None]] = deque()
        self._woken = threading.Event()
        self._owed: set[bytes] = set()
        #: A delivery of them failed, and Redis has not taken them back yet.
        self._failed: set[bytes] = set()
        self._unsure = False
        #: True while it waits for messages: no fetch follows soon.
        self._is_idle = False
        self._last_contact = 0.0

    def __next__(self) -> MessageProxy | None:
        """Return the next message, or None after `timeout` seconds without one."""
        if not self._fetched:
            try:
                self._refill()
                self._found()
            except RedisError as error:
                self._unsure = True
                self.broker.rescue.note_outage()
                self._lost(error)
        if not self._fetched:
            return None
        token, data = self._fetched.popleft()
        if data is None:
            self._park(token, "there is no message under this id", token)
            return None
        return self._open(data, token)

    def _refill(self) -> None:
        if self._unsure:
            self._make_sure()
        with self.broker.admission:
            room = self.room()
            full = room <= 0
            taken = not full and self._fetch(room)
        if full:
            self._wait_for_room()
        elif not taken:
            self._wait_for_messages()

    def _wait_for_messages(self) -> None:
        self._is_idle = True
        try:
            self._pay()  # after that is said: who came before has left it to us
            # Rung for every band, at the same time as something is put there. Who
            # pushes to Dramatiq's list alone is heard when the wait ends.
            self.broker.wait_for(self._bell, self.timeout)
        finally:
            self._is_idle = False

    def _wait_for_room(self) -> None:
        self._woken.clear()
        self._pay()
        if self.room() <= 0:
            self._woken.wait(self.timeout)
        if time.monotonic() > self._last_contact + HEARTBEAT:
            self._fetch(0)

    def wake(self) -> None:
        """See `CourierConsumer.wake`."""
        self._woken.set()

    def _fetch(self, room: int) -> bool:
        keys = [self._list, self._msgs, self._acks, self.broker.key("__heartbeats__")]
        owed = list(self._owed)
        taken = self.broker.run("FETCH", keys, [self.broker.worker_id, room, *owed])
        self._owed.difference_update(owed)
        self._fetched.extend(zip(taken[::2], taken[1::2], strict=True))
        self.in_hand.update(taken[::2])
        self._last_contact = time.monotonic()
        self.broker.rescue.look()
        return bool(taken)

    def _make_sure(self) -> None:
        """Settle what is owed; give back what came here without our knowing."""
        self._unsure = False
        owed = set(self._owed)
        if owed:
            self.broker.run("ACK", [self._msgs, self._acks], list(owed))
            self._owed -= owed
        strays = (
            set(self.broker.client.smembers(self._acks)) - self.in_hand - self._owed
        )
        keys = [self._list, self._acks]
        if failed := strays & self._failed:
            self.broker.run("GIVE_BACK", keys, list(failed))
            self._failed -= failed
        if unseen := strays - failed:
            self.broker.run("PUT_BACK", keys, list(unseen))

    def _remove(self, token: bytes, channel: None) -> None:
        # Owed before it is let go: `_make_sure` may look between the two.
        self._owed.add(token)
        self.in_hand.discard(token)
        if self._is_idle or self.broker.stopping:
            self._pay()
        self.broker.wake()

    def _give_back(self, token: bytes, channel: None) -> None:
        # Noted before it is let go, as in `_remove`.
        self._failed.add(token)
        self.in_hand.discard(token)
        if self._try("GIVE_BACK", [self._list, self._acks], [token]):
            self._failed.discard(token)
        self.broker.wake()

    def _pay(self) -> None:
        owed = list(self._owed)
        if owed and not self.broker.outage.is_missed_by(self.queue):
            self._try("ACK", [self._msgs, self._acks], owed)

    def _try(self, script: str, keys: list[str], tokens: list[bytes]) -> bool:
        try:
            self.broker.run(script, keys, tokens)
        except RedisError as error:
            logger.debug("%s of %s is still owed: %r.", script, self.queue, error)
            self._unsure = True
            return False
        self._owed.difference_update(tokens)
        return True

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was fetched and not begun, at a stop."""
        tokens = [m.token for m in messages if isinstance(m, Delivery)]
        if tokens:
            self._try("PUT_BACK", [self._list, self._acks], tokens)

    def close(self) -> None:
        """Give back what never reached a worker thread; settle what is owed."""
        tokens = [token for token, _ in self._fetched]
        self._fetched.clear()
        if tokens:
            self._try("PUT_BACK", [self._list, self._acks], tokens)
        if self._owed:
            self._try("ACK", [self._msgs, self._acks], list(self._owed))
