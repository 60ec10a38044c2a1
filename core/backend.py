"""What an adapter to an engine must do: five methods and nothing of meaning.

A backend is a courier. Retries, delays, results and dead letters are core's; the
engine's own are off. It may lose, double and reorder what it carries.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

#: Bands of a queue; band 0 is served first, whatever waits behind it.
BANDS = 5
#: Seconds for a broker to tell how it is set up.
CONCERN_SECONDS = 1.0
#: What an engine's own command line is answered with.
BARE_WORKER = (
    "{command} would start workers that nobody supervises: what is delayed, retried or"
    " routed, and what a dead process leaves, would wait for ever. Use this instead:"
    " manage.py worker --broker={alias}"
)
#: The band of a message with priority 0.
MIDDLE_BAND = 2


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """One message as the engine carries it: "run this run, if it still waits"."""

    message_id: str  # the run's id; the engine's own message or task id as well
    actor_name: str  # the native task name in the engine
    queue: str  # the physical queue, <namespace>.<engine>.<alias>.<queue>
    payload: str  # signed text; the only argument, handed back to `deliver` as it is
    band: int = MIDDLE_BAND  # 0 to BANDS - 1; core computes it from the priority


@dataclass(frozen=True, slots=True)
class Concern:
    """How a broker is set up so that it may lose messages, and the mend."""

    problem: str
    mend: str
    #: What has a row is sent again.
    only_direct: bool = False


def concerns_of_redis(policy: str, *, aof: bool, save: str | None) -> list[Concern]:
    """Return what is wrong with a Redis.

    `policy` is its maxmemory-policy, `aof` says whether it is appendonly, `save` is the
    setting of that name, None where it does not tell.
    """
    found = []
    if policy.startswith("allkeys-"):  # queues have no expiry: volatile-* spares them
        problem = f"maxmemory-policy is {policy}: out of memory, it drops whole queues"
        mend = "Set maxmemory-policy to noeviction in its configuration"
        found.append(Concern(problem, mend))
    if not aof and save == "":
        problem = "it saves nothing: a restart loses what is sent with durable=False"
        mend = "Set appendonly to yes in its configuration, or send those durably"
        found.append(Concern(problem, mend, only_direct=True))
    return found


class Receiver(Protocol):
    """Core's side of the contract, handed to every backend. Thread-safe."""

    alias: str
    #: Bytes of a message as the engine carries it. Park what is longer, and do not
    #: parse it: no sender of ours wrote it.
    longest: int

    def deliver(self, queue: str, payload: str) -> None:
        """Run what `payload` points to; return when it is settled. Then acknowledge.

        Never raises for a failed actor or a bad payload. Raises only when even the
        bookkeeping failed (no database): then give the message back to the engine.
        """

    def park(self, queue: str, payload: bytes, reason: str) -> None:
        """Keep what cannot be understood, with its reason. Then acknowledge.

        Raises when it could not be kept: then give the message back to the engine.
        """

    def worker_started(self, threads: int) -> None:
        """The engine's worker is up in this process and runs `threads` at once."""

    def worker_stopping(self) -> None:
        """The engine's worker was told to stop; it still waits for running bodies."""

    def worker_stopped(self) -> None:
        """The engine's worker has ended; nothing of it runs any more."""

    def actors(self) -> Mapping[str, str]:
        """Return the name of every declared actor with its physical queue."""


class BaseBackend(ABC):
    """An engine on one broker URL.

    Args:
        alias: the broker alias, for messages and errors.
        url: redis://, rediss://, unix:// or amqp(s)://, as BROKERS gives it.
        receiver: see `Receiver`.
        **options: BROKERS[alias]["OPTIONS"]; each backend names its own.
    """

    #: A word for the engine; part of every physical queue's name.
    engine: ClassVar[str]
    #: False: `publish` runs the message in this very process, there is no queue.
    supports_worker: ClassVar[bool] = True
    #: False: there is no broker. Every message has a row, and core's own threads take
    #: them from the table while `work` waits to be told to stop.
    supports_publish: ClassVar[bool] = True
    #: False: there is no `announce`; other services learn of no event.
    supports_events: ClassVar[bool] = True

    def __init__(self, alias: str, url: str, receiver: Receiver) -> None:
        self.alias = alias
        self.url = url
        self.receiver = receiver

    @abstractmethod
    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """Hand all messages to the broker; return when it has confirmed them.

        Raises `BrokerUnavailable` within `seconds`, or the backend's own deadline when
        that is None (some, none or all may have arrived). Called from any thread, of
        any process, also after a fork.
        """

    def announce(self, channel: str, events: Sequence[bytes]) -> None:
        """Hand events to everyone who listens; return when the broker has them.

        To the durable fanout exchange `channel` on RabbitMQ (declared if it is missing,
        each event a persistent message), or to the stream `channel` on Redis (field
        "event", trimmed to about 100,000 entries). Each event is a CloudEvent in JSON.
        Raises `BrokerUnavailable` as `publish` does.
        """
        raise NotImplementedError(f"{type(self).__name__} has no fan-out.")

    @abstractmethod
    def work(self, queues: Sequence[str], threads: int) -> None:
        """Run the engine's worker in this process until SIGTERM or SIGINT.

        Blocks, from the main thread. A stop lets running messages end. Survives
        every fault of the broker: reconnects within two seconds of its return.
        """

    @abstractmethod
    def depth(self, queue: str) -> int:
        """Count what waits in a physical queue, all bands (not what is being run)."""

    @abstractmethod
    def purge(self, queue: str) -> int:
        """Drop what waits in a physical queue, all bands; return how many."""

    def concerns(self) -> list[Concern]:
        """Ask the broker how it is set up; return what may lose messages.

        For `manage.py check --deploy`. Raises `BrokerUnavailable` within about
        `CONCERN_SECONDS`.
        """
        return []

    @abstractmethod
    def ping(self) -> None:
        """Return if the broker answers; raise `BrokerUnavailable` in a deadline."""
