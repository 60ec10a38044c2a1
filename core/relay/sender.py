"""To the broker: a message is signed, named by its physical queue, and handed over."""

from collections.abc import Sequence

from core import runs
from core.backend import BaseBackend, EngineMessage
from core.models import Run
from core.relay.capacity import band_of
from core.wire.envelope import Envelope, MessageSigner

#: Seconds in which a send without a row is answered.
DIRECT_SECONDS = 0.3


class Sender:
    """Hands the messages of one broker alias to its backend.

    Args:
        database: the alias of the database that keeps the runs.
        namespace: BROKERS[alias]["NAMESPACE"].
        lost: seconds after which an idle worker may call a published run lost.
    """

    def __init__(
        self, backend: BaseBackend, database: str, namespace: str, lost: float
    ) -> None:
        self.signer = MessageSigner(namespace)
        self._backend = backend
        self._database = database
        self._lost = lost
        self._prefix = f"{namespace}.{backend.engine}.{backend.alias}"

    def physical(self, queue: str) -> str:
        """Return a queue's name at the broker; two engines never share one."""
        return f"{self._prefix}.{queue}"

    def publish(self, rows: Sequence[Run]) -> None:
        """Hand runs to the broker, then note it. Raises `BrokerUnavailable`."""
        self.hand_over(rows)
        self.mark(rows)

    def hand_over(self, rows: Sequence[Run]) -> None:
        """Hand runs to the broker. Raises `BrokerUnavailable`."""
        self._backend.publish([self.engine_message(row) for row in rows])

    def mark(self, rows: Sequence[Run]) -> None:
        """Note that runs are at the broker, unless they have started by now."""
        runs.mark(self._database, rows, self._lost)

    def engine_message(self, row: Run) -> EngineMessage:
        """Return a run as the engine carries it."""
        run_id, queue = str(row.pk), self.physical(row.queue_name)
        signed, band = self.signer.sign(run_id), band_of(row.priority)
        return EngineMessage(run_id, row.actor_name, queue, signed, band)

    def send_direct(
        self, messages: Sequence[Envelope], priorities: Sequence[int]
    ) -> None:
        """Publish messages that have no row. Raises `BrokerUnavailable` soon."""
        whole = [
            EngineMessage(
                message.message_id,
                message.actor_name,
                self.physical(message.queue_name),
                self.signer.sign_message(message),
                band_of(priority),
            )
            for message, priority in zip(messages, priorities, strict=True)
        ]
        self._backend.publish(whole, DIRECT_SECONDS)

    def depth(self, queue: str) -> int:
        """Return how many messages of a queue wait at the broker.

        Raises `BrokerUnavailable`.
        """
        return self._backend.depth(self.physical(queue))
