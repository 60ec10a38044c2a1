"""One call of an actor, as the caller holds it; and calls one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from core.broker.handler import brokers
from core.interface import results
from core.interface.plan import Node, Plan, checked
from core.interface.results import Timeout
from core.options import duration
from core.sending.dependency import Dependency
from core.wire.envelope import Envelope

R = TypeVar("R")


@dataclass(frozen=True, eq=True, repr=False)
class Message(Envelope, Generic[R]):
    """A frozen call: compared by value; see `Envelope` for its fields.

    `args` is a tuple, `options` is what the send gave, `message_timestamp` is in
    milliseconds since 1970. R is what the actor returns.
    """

    #: False: a key matched an earlier call, and this is that earlier message.
    created: bool = field(default=True, compare=False, repr=False)

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

    def copy(self, **fields: Any) -> Self:
        """Return one with other fields; `options` are merged into the present ones."""
        if "options" in fields:
            fields["options"] = {**self.options, **fields["options"]}
        return replace(self, **fields)

    def status(self) -> str:
        """Return the run's state now, as "pending" or "succeeded".

        One of pending, queued, running, succeeded, dead, cancelled. Raises
        `UnknownRun` for a message that was not sent, or has no row (durable=False).
        """
        return brokers.find(self.message_id).state

    def cancel(self) -> bool:
        """Stop the run; say whether it had not ended.

        What waits is cancelled at once. In one that runs `Cancelled` is raised soon; it
        may still succeed before that.
        """
        run = brokers.find(self.message_id)
        return brokers[run.broker].cancel(self.message_id)

    def get_result(self, *, block: bool = False, timeout: Timeout = None) -> R:
        """Return what the actor returned; `timeout` in ms, 10 s unless given.

        Raises:
            ResultMissing: it has not ended, its result is too old or was not kept.
            ResultTimeout: with `block`, it has not ended in time.
            ResultFailure: it is dead or cancelled.
        """
        found: R = next(
            results.results([self.message_id], block=block, timeout=timeout)
        )
        return found

    def __or__(self, other: "Node") -> "pipeline":
        return pipeline([self, other])

    def plan(self, plan: Plan, dependency: Dependency) -> UUID:
        """See `core.interface.plan.Node`."""
        alias = brokers.carrier(self.actor_name, self.options).alias
        return plan.add(self, alias, dependency)

    @property
    def last_ids(self) -> list[str]:
        """The runs whose results are the result of this."""
        return [self.message_id]


def sent(message: Message[R], run_id: UUID) -> Message[R]:
    """Return a message as it was taken in: under an earlier one's id, perhaps."""
    if str(run_id) == message.message_id:
        return message
    return replace(message, message_id=str(run_id), created=False)


class pipeline:  # noqa: N801  # Dramatiq's name
    """Calls one after the other; each gets the result of the one before it.

    A step is a message, another pipeline or a group; what follows a group gets the
    list of its results. After a step that is dead or cancelled the rest is cancelled.
    """

    def __init__(self, children: Sequence[Node]) -> None:
        self.messages: list[Any] = []
        for child in map(checked, children):
            inner = child.messages if isinstance(child, pipeline) else [child]
            self.messages += inner
        if not self.messages:
            raise ValueError("A pipeline needs at least one message.")

    def __len__(self) -> int:
        return len(self.messages)

    def __or__(self, other: Node) -> "pipeline":
        return pipeline([self, other])

    def run(self, *, delay: Any = None) -> "pipeline":
        """Enter all steps in one transaction; the first starts after `delay`."""
        start = self if delay is None else self._delayed(delay)
        plan = Plan()
        start.plan(plan, Dependency())
        plan.enter()
        return start

    def _delayed(self, delay: Any) -> "pipeline":
        first, *rest = self.messages
        return pipeline([delayed(first, delay), *rest])

    def plan(self, plan: Plan, dependency: Dependency) -> UUID:
        """See `core.interface.plan.Node`."""
        after, after_end = dependency.after, dependency.after_end
        for step in self.messages[:-1]:
            inner = Dependency(after=after, after_end=after_end, collected=True)
            after, after_end = step.plan(plan, inner), False
            plan.follow(after)
        last = replace(dependency, after=after, after_end=after_end)
        ended: UUID = self.messages[-1].plan(plan, last)
        return ended

    @property
    def last_ids(self) -> list[str]:
        """The runs whose results are the result of this."""
        found: list[str] = self.messages[-1].last_ids
        return found

    def get_result(self, *, block: bool = False, timeout: Timeout = None) -> Any:
        """Return the result of the last step; see `Message.get_result`."""
        return self.messages[-1].get_result(block=block, timeout=timeout)

    def get_results(
        self, *, block: bool = False, timeout: Timeout = None
    ) -> Iterator[Any]:
        """Return the result of every step in order; every actor must keep its own."""
        for step in self.messages:
            yield step.get_result(block=block, timeout=timeout)

    @property
    def ids(self) -> list[str]:
        """The runs of all steps."""
        return [run_id for step in self.messages for run_id in ids_of(step)]

    @property
    def completed_count(self) -> int:
        """How many runs have succeeded. Raises `ResultFailure` if one cannot."""
        return results.completed_count(self.ids)

    @property
    def completed(self) -> bool:
        """Return True if all have succeeded. Raises `ResultFailure` if one cannot."""
        return self.completed_count == len(self.ids)


def ids_of(node: Any) -> list[str]:
    """Return the runs of a message, a pipeline or a group."""
    if isinstance(node, Message):
        return [node.message_id]
    found: list[str] = node.ids
    return found


def delayed(node: Any, delay: Any) -> Any:
    """Return a node that starts after `delay`, or its own if that is longer."""
    if not isinstance(node, Message):
        return node._delayed(delay)
    wait = max(duration("delay", delay), node.options.get("delay", 0))
    return node.copy(options={"delay": wait})
