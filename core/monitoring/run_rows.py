"""Runs and their attempts, frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from core.models import Attempt, Run
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AttemptSnapshot(Snapshot):
    """An attempt that did not succeed."""

    number: int
    outcome: str
    worker: str
    started_at: datetime
    finished_at: datetime
    error: str
    traceback: str
    #: The exception's type, the function that raised it, and what both and the actor
    #: have in common with other failures; see `errors`.
    kind: str
    place: str
    fingerprint: str

    @classmethod
    def of(cls, row: Attempt) -> Self:
        """Freeze a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Event(Snapshot):
    """One thing that happened to a run."""

    at: datetime
    #: created, due, started, an attempt's outcome, or the state in which it ended.
    what: str
    #: The number of the attempt, or 0.
    attempt: int = 0
    #: The worker or the error.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Relative(Snapshot):
    """A run or a group that this one waits for, or that waits for it, or holds it."""

    id: str
    #: "after": it waits for that one; "group": it is a member of it; "then": that one
    #: waits for it.
    relation: str
    #: For a group "open" or "ended".
    state: str
    #: "" for a group.
    actor_name: str


@dataclass(frozen=True, slots=True)
class RunSnapshot(Snapshot):
    """A run as it was when it was read. Only `run` tells what is listed last."""

    id: str
    broker: str
    actor_name: str
    queue_name: str
    priority: int
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    state: str
    attempt: int
    retries: int
    crashes: int
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    worker: str
    error: str
    #: [done, total, note], as the body has told.
    progress: list[Any] | None
    attempts: tuple[AttemptSnapshot, ...] = ()
    relatives: tuple[Relative, ...] = ()
    timeline: tuple[Event, ...] = ()
    #: The stored result.
    result: Any = None

    @classmethod
    def of(cls, row: Run, **more: Any) -> Self:
        """Freeze a row."""
        listed = ("attempts", "relatives", "timeline", "result")
        plain = [name for name in cls.__slots__ if name not in ("id", *listed)]
        values = {name: getattr(row, name) for name in plain}
        return cls(id=str(row.pk), **more, **values)
