"""Calls side by side, and what follows when all of them have ended."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from core.errors import InvalidOption, NoMessage
from core.interface import results
from core.interface.messages import Message, delayed, ids_of, pipeline
from core.interface.plan import Node, Plan, checked
from core.interface.results import Timeout
from core.sending.dependency import Dependency

ON = ("success", "end")


class group:  # noqa: N801  # Dramatiq's name
    """Calls that run side by side: messages, pipelines and other groups."""

    def __init__(self, children: Iterable[Node]) -> None:
        self.children: list[Any] = [checked(child) for child in children]
        self._then: list[tuple[Message[Any], bool]] = []
        self._passes = False

    def __len__(self) -> int:
        return len(self.children)

    def __or__(self, other: Node) -> pipeline:
        return pipeline([self, other])

    def then(
        self, message: Message[Any], *, on: str = "success", pass_results: bool = False
    ) -> "group":
        """Have `message` run when all members have ended; return this group.

        Args:
            message: what runs then.
            on: "success": only if all succeeded, or else it is cancelled. "end":
                whatever became of them.
            pass_results: append the list of their results to its arguments; None
                stands for one that did not succeed.
        """
        if on not in ON:
            raise InvalidOption("on", on, "'success' or 'end'")
        if not isinstance(message, Message):
            raise NoMessage(repr(message), "a message, which is what can follow")
        if not pass_results:
            message = message.copy(options={"pipe_ignore": True})
        self._passes |= pass_results
        self._then.append((message, on == "end"))
        return self

    def add_completion_callback(self, message: Message[Any]) -> None:
        """Have `message` run when all members have succeeded, as Dramatiq does."""
        self.then(message)

    def run(self, *, delay: Any = None) -> "group":
        """Enter all members and what follows in one transaction."""
        start = self if delay is None else self._delayed(delay)
        plan = Plan()
        start.plan(plan, Dependency())
        plan.enter()
        return start

    def _delayed(self, delay: Any) -> "group":
        later = group(delayed(child, delay) for child in self.children)
        later._then, later._passes = self._then, self._passes
        return later

    def plan(self, plan: Plan, dependency: Dependency) -> UUID:
        """See `core.interface.plan.Node`."""
        if not self.children and dependency.after is not None:
            raise ValueError("A group without members cannot follow another step.")
        own = replace(dependency, collected=dependency.collected or self._passes)
        batch = plan.add_batch(len(self.children), own)
        for position, child in enumerate(self.children):
            child.plan(
                plan,
                Dependency(
                    after=dependency.after,
                    after_end=dependency.after_end,
                    batch=batch,
                    position=position,
                    collected=own.collected,
                ),
            )
        for message, at_end in self._then:
            message.plan(plan, Dependency(after=batch, after_end=at_end))
            plan.follow(batch)
        return batch

    @property
    def ids(self) -> list[str]:
        """The runs of all members."""
        return [run_id for child in self.children for run_id in ids_of(child)]

    @property
    def last_ids(self) -> list[str]:
        """The runs whose results are the results of this, in order."""
        return [run_id for child in self.children for run_id in child.last_ids]

    def get_results(
        self, *, block: bool = False, timeout: Timeout = None
    ) -> Iterator[Any]:
        """Return the members' results in order; see `Message.get_result`.

        Of a pipeline its last result, of a group the list of its results.
        """
        if all(isinstance(child, Message) for child in self.children):
            return results.results(self.last_ids, block=block, timeout=timeout)
        return (
            child.get_result(block=block, timeout=timeout) for child in self.children
        )

    def get_result(self, *, block: bool = False, timeout: Timeout = None) -> list[Any]:
        """Return the members' results as a list."""
        return list(self.get_results(block=block, timeout=timeout))

    def wait(self, *, timeout: Timeout = None) -> None:
        """Return when all members have ended; `ResultTimeout` after `timeout` ms."""
        results.wait_for_end(self.ids, timeout)

    @property
    def completed_count(self) -> int:
        """How many runs have succeeded. Raises `ResultFailure` if one cannot."""
        return results.completed_count(self.ids)

    @property
    def completed(self) -> bool:
        """Return True if all have succeeded. Raises `ResultFailure` if one cannot."""
        return self.completed_count == len(self.ids)
