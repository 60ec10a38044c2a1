"""One call of an actor, as the caller holds it."""

from dataclasses import dataclass
from typing import Self

from core.envelope import Envelope
from core.handler import brokers


@dataclass(frozen=True, eq=True)
class Message(Envelope):
    """A frozen call: compared by value; see `Envelope` for its fields.

    `args` is a tuple, `options` is what the send gave, `message_timestamp` is in
    milliseconds since 1970.
    """

    @classmethod
    def get(cls, message_id: str) -> Self:
        """Return the message that was sent under this id.

        Raises `UnknownRun`: no such run, or its row is gone, or it is no id at all.
        """
        run = brokers.find(message_id)
        return cls(
            run.queue_name,
            run.actor_name,
            tuple(run.args),
            run.kwargs,
            run.options,
            str(run.pk),
            round(run.created_at.timestamp() * 1000),
        )

    def status(self) -> str:
        """Return the run's state now, as "pending" or "succeeded".

        One of pending, queued, running, succeeded, dead, cancelled. Raises
        `UnknownRun` for a message that was not sent.
        """
        return brokers.find(self.message_id).state

    def cancel(self) -> bool:
        """Stop the run if it has not started; say whether that was in time."""
        run = brokers.find(self.message_id)
        return brokers[run.broker].cancel(self.message_id)
