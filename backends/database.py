"""No broker at all: workers take messages from the table in which they are rows."""

from collections.abc import Sequence
from typing import ClassVar

from core.backend import BaseBackend, EngineMessage, Receiver
from core.errors import BrokerConfigError
from core.worker.signals import stop_signals


class DatabaseBackend(BaseBackend):
    """For a project whose database is enough: one thing less to run.

    The runs of its actors go from the table to the threads of `manage.py worker`. A
    message that is sent with durable=False has a row like the others.
    """

    engine: ClassVar[str] = "database"
    supports_publish: ClassVar[bool] = False
    supports_events: ClassVar[bool] = False

    def __init__(self, alias: str, url: str, receiver: Receiver) -> None:
        super().__init__(alias, url, receiver)
        if url:
            problem = "there is no broker to reach: leave it out"
            raise BrokerConfigError(alias, "URL", problem)

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        """Refuse: the rows are the messages."""
        raise NotImplementedError(f"{type(self).__name__} has no broker.")

    def work(self, queues: Sequence[str], threads: int) -> None:
        """Sign on, let core take runs from the table, and wait for a signal."""
        with stop_signals() as stop:
            self.receiver.worker_started(threads)
            stop.get()
            self.receiver.worker_stopping()
        self.receiver.worker_stopped()

    def depth(self, queue: str) -> int:
        """Return 0: nothing waits anywhere but in the table."""
        return 0

    def purge(self, queue: str) -> int:
        """Return 0, as `depth` does."""
        return 0

    def ping(self) -> None:
        """Return: what there is to reach is the database, which others ask."""
