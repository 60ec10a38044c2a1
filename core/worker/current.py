"""The run that this thread is performing, as its body sees it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from core.errors import LeaseLost, NotDurable

#: Settles the run as a success that returned the argument; False: it was replaced.
Settle = Callable[[Any], bool]


class Settling:
    """The value of `CurrentRun.atomic`: set `result` to what the run returns."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt of which run it is."""

    run_id: str
    number: int
    actor_name: str
    #: Aliases: of its broker, and of the database that keeps the run.
    broker: str
    database: str
    queue_name: str = ""
    #: When the message was sent.
    created_at: datetime | None = None


class CurrentRun:
    """A body's own run: what it may know, and do about it."""

    def __init__(
        self,
        attempt: Attempt,
        settle: Settle | None,
        note: Callable[[list[Any]], None],
        slot: Callable[[], datetime | None],
    ) -> None:
        #: The message's id.
        self.id = attempt.run_id
        #: 1 the first time.
        self.attempt = attempt.number
        self.actor_name = attempt.actor_name
        self.queue_name = attempt.queue_name
        #: When it was sent, the same at each attempt: ask it what "yesterday" is.
        self.created_at = attempt.created_at
        #: The alias of its broker.
        self.broker = attempt.broker
        self.settled = False
        self._database = attempt.database
        self._settle = settle
        self._note = note
        self._slot = slot

    @contextmanager
    def atomic(self) -> Iterator[Settling]:
        """Make the writes inside take effect exactly once, with the run's success.

        Leaving the block settles the run in the same transaction. When this attempt was
        replaced meanwhile, everything inside is rolled back and `LeaseLost` is raised.
        Keep it short, and without network: on SQLite it blocks every writer.

        What follows the run (the next step of a pipeline) gets `result` of what this
        gives, since it is decided here: the body's return comes too late for it.

        Raises `NotDurable` for a message without a row.
        """
        if self._settle is None:
            raise NotDurable(self.id, "an atomic block")
        with transaction.atomic(using=self._database):
            settling = Settling()
            yield settling
            if not self._settle(settling.result):
                raise LeaseLost(f"run {self.id}: attempt {self.attempt} was replaced")
            # Not before the outermost commit: a transaction around this one may
            # still be rolled back, and the success with it.
            transaction.on_commit(self._committed, using=self._database)

    @property
    def slot(self) -> datetime | None:
        """The slot of the schedule that sent it, or None: nobody or no schedule's slot.

        Asks the database. Unlike `created_at` it is the same however late it was sent.
        """
        return self._slot()

    def _committed(self) -> None:
        self.settled = True

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Write down how far the body is, for those who look.

        Outside of the body's own transactions, or it is not seen before they end.
        Does nothing for a message without a row.
        """
        if self._settle is not None:
            self._note([done, total, note])


_current: ContextVar[CurrentRun | None] = ContextVar("switchyard_run", default=None)


def current_run() -> CurrentRun | None:
    """Return the run that is being performed here, or None outside of one."""
    return _current.get()


@contextmanager
def performing(run: CurrentRun) -> Iterator[None]:
    """Make `run` the current one."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)
