"""The run that this thread is performing, as its body sees it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from core.errors import LeaseLost


class CurrentRun:
    """What a body may know and do about its own run."""

    def __init__(
        self, run_id: str, attempt: int, database: str, settle: Callable[[], bool]
    ) -> None:
        #: The message's id.
        self.id = run_id
        #: 1 the first time.
        self.attempt = attempt
        self.settled = False
        self._database = database
        self._settle = settle

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Make the writes inside take effect exactly once, with the run's success.

        Leaving the block settles the run in the same transaction. When this attempt was
        replaced meanwhile, everything inside is rolled back and `LeaseLost` is raised.
        Keep it short, and without network: on SQLite it blocks every writer.
        """
        with transaction.atomic(using=self._database):
            yield
            if not self._settle():
                raise LeaseLost(f"run {self.id}: attempt {self.attempt} was replaced")
            # Not before the outermost commit: a transaction around this one may
            # still be rolled back, and the success with it.
            transaction.on_commit(self._committed, using=self._database)

    def _committed(self) -> None:
        self.settled = True


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
