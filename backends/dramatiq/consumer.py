"""The common part of both consumers: parking, returning, and retrying the broker.

Dramatiq's own consumers raise when the broker is away and are built anew after
3 s; an acknowledgement then blocks its worker thread in steps of 5 s. These never
raise: they reconnect inside `__next__` and return None meanwhile.
"""

import logging
import time
from abc import abstractmethod
from typing import Any, cast

from dramatiq import Consumer, MessageProxy

from backends.dramatiq.broker import CourierBroker
from backends.dramatiq.wire import Delivery, decode
from core.errors import BadMessage

logger = logging.getLogger(__name__)

#: Seconds before a message goes back that could not be settled (no database).
GIVE_BACK_PAUSE = 1.0
#: Seconds between two tries to reach a broker that is away.
RECONNECT_PAUSE = 0.5


class CourierConsumer(Consumer):
    """One queue's consumer in one worker process."""

    def __init__(
        self, broker: CourierBroker, queue: str, prefetch: int, timeout: int
    ) -> None:
        self.broker = broker
        self.queue = queue
        #: What this process runs at once. Dramatiq asks for twice that, but a message
        #: that waits in a busy process is one that an idle process could run.
        self.threads = max(1, prefetch // 2)
        #: Seconds that `__next__` may wait for a message.
        self.timeout = timeout / 1000
        #: Messages of the queue in this process: fetched, running or unsettled.
        self.in_hand: set[Any] = set()
        broker.consumers[queue] = self

    def room(self) -> int:
        """Return how many more messages this process may take, of whichever queue."""
        return 0 if self.broker.stopping else self.threads - self.broker.in_hand()

    @abstractmethod
    def wake(self) -> None:
        """End a wait for room, to look again. Called from any thread."""

    @abstractmethod
    def _remove(self, token: Any, channel: Any) -> None:
        """Acknowledge. Never raises, never waits long."""

    @abstractmethod
    def _give_back(self, token: Any, channel: Any) -> None:
        """Let the broker deliver it again. Never raises, never waits long."""

    def ack(self, message: MessageProxy) -> None:
        """Acknowledge what `deliver` has settled."""
        delivery = cast(Delivery, message)
        self._remove(delivery.token, delivery.channel)

    def nack(self, message: MessageProxy) -> None:
        """Give back what `deliver` could not settle, after a pause.

        The pause holds this worker thread on purpose: while there is no database,
        the next message would fail as well.
        """
        delivery = cast(Delivery, message)
        time.sleep(GIVE_BACK_PAUSE)
        self._give_back(delivery.token, delivery.channel)

    def _open(self, data: bytes, token: Any, channel: Any = None) -> Delivery | None:
        longest = self.broker.receiver.longest
        if len(data) > longest:
            reason = f"it is longer than {longest} bytes"
            self._park(data, reason, token, channel)
            return None
        try:
            return Delivery(decode(self.queue, data), token, channel)
        except BadMessage as bad:
            self._park(data, bad.reason, token, channel)
            return None

    def _park(self, data: bytes, reason: str, token: Any, channel: Any = None) -> None:
        try:
            self.broker.receiver.park(self.queue, data, reason)
        except Exception:  # core's, or its database's: the bytes must stay
            logger.exception("Could not park a message of %s.", self.queue)
            time.sleep(GIVE_BACK_PAUSE)
            self._give_back(token, channel)
        else:
            self._remove(token, channel)

    def _lost(self, error: BaseException) -> None:
        away = self.broker.unavailable(f"{type(error).__name__}: {error}")
        self.broker.outage.begin(away, self.queue)
        time.sleep(RECONNECT_PAUSE)

    def _found(self) -> None:
        self.broker.outage.end(self.queue)
