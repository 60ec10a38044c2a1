"""A composition on its way in: which runs wait for which, written all at once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.db import transaction

from core.broker.handler import brokers
from core.databases.locks import keep_asking
from core.errors import NoMessage, SentTwice, WrongDatabase
from core.sending.dependency import Dependency
from core.wire.envelope import Envelope


class Node(Protocol):
    """A part of a composition: a message, a pipeline, a group."""

    def plan(self, plan: "Plan", dependency: Dependency) -> UUID:
        """Add this to a plan; return the id of what ends with it."""


def checked(given: Any) -> Any:
    """Return what a composition may be made of, or raise `NoMessage`."""
    if isinstance(given, type) or not hasattr(given, "plan"):
        raise NoMessage(repr(given), "a message, a pipeline or a group")
    return given


@dataclass
class Plan:
    """The runs and batches of one composition."""

    aliases: dict[UUID, str] = field(default_factory=dict)
    messages: dict[UUID, tuple[Envelope, Dependency]] = field(default_factory=dict)
    batches: dict[UUID, tuple[int, Dependency]] = field(default_factory=dict)

    def add(self, message: Envelope, alias: str, dependency: Dependency) -> UUID:
        """Add a run; return its id."""
        run_id = UUID(message.message_id)
        if run_id in self.messages:
            raise SentTwice(f"{message.actor_name} {run_id}")
        self.messages[run_id] = (message, dependency)
        self.aliases[run_id] = alias
        return run_id

    def add_batch(self, size: int, dependency: Dependency) -> UUID:
        """Add a batch of `size` members; return its id."""
        batch_id = uuid4()
        self.batches[batch_id] = (size, dependency)
        return batch_id

    def follow(self, ended: UUID) -> None:
        """Note that something waits for this run or batch."""
        if ended in self.batches:
            self.batches[ended][1].followed = True
        else:
            self.messages[ended][1].followed = True

    def enter(self) -> None:
        """Write everything in one transaction; publish what waits for nothing."""
        by_alias: dict[str, list[tuple[Envelope, Dependency]]] = defaultdict(list)
        for run_id, planned in self.messages.items():
            by_alias[self.aliases[run_id]].append(planned)
        if not by_alias:
            return
        database = _one_database(by_alias)
        # Before we open a transaction: it is the caller's that counts.
        brokers[min(by_alias)].outbox.check_transaction()
        with keep_asking(database), transaction.atomic(using=database):
            for alias, members in by_alias.items():
                brokers[alias].enqueuer.compose(members)
            brokers[min(by_alias)].enqueuer.group(self.batches)


def _one_database(aliases: Iterable[str]) -> str:
    by_database = {brokers[alias].database: alias for alias in sorted(aliases)}
    if len(by_database) > 1:
        first, second, *_ = by_database.items()
        raise WrongDatabase(first[1], first[0], second[0])
    return next(iter(by_database))
