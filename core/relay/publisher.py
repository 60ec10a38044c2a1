"""The publisher thread: what was committed goes out, and no request waits for it.

One thread per process, started with the first message, renewed in a forked child. It
may lose what it holds at any time: the rows are there, and the relay sees them.
"""

import atexit
import logging
import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db import close_old_connections, connections

from core.databases import silence

logger = logging.getLogger(__name__)

Push = Callable[[Sequence[Any]], None]
Step = Callable[[], None]

#: Seconds at exit to publish what the thread still has.
FLUSH_SECONDS = 1.0
#: Seconds without work after which the thread closes its database connection.
IDLE_SECONDS = 1.0


class Publisher:
    """A queue of rows and the thread that empties it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start anew; in a forked child the thread and its queue are gone."""
        self._lock = threading.Lock()
        self._queue: queue.Queue[tuple[Push, Sequence[Any]]] = queue.Queue()
        self._thread: threading.Thread | None = None
        #: What is to be done at which time; only the thread itself changes it.
        self._due: dict[Step, float] = {}

    def put(self, push: Push, rows: Sequence[Any]) -> None:
        """Have `push(rows)` called soon, joined with its neighbours."""
        with self._lock:
            if self._thread is None:
                silence.start()
                self._thread = threading.Thread(
                    target=self._run, name="switchyard-publisher", daemon=True
                )
                self._thread.start()
        self._queue.put((push, rows))

    def later(self, step: Step, seconds: float) -> None:
        """Have `step()` called in so many seconds; called by a push."""
        self._due.setdefault(step, time.monotonic() + seconds)

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait until everything is published, at most `seconds`."""
        deadline = time.monotonic() + seconds
        while self._is_busy() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _is_busy(self) -> bool:
        return bool(self._queue.unfinished_tasks or self._due)

    def _run(self) -> None:
        while True:
            batch = self._batch()
            self._push(batch)
            self._do_due()
            for _ in batch:
                self._queue.task_done()

    def _batch(self) -> list[tuple[Push, Sequence[Any]]]:
        """Return what waits; nothing, if something else is due before."""
        wait = min(self._due.values(), default=0.0) - time.monotonic()
        try:
            first = self._queue.get(timeout=max(wait, 0) if self._due else IDLE_SECONDS)
        except queue.Empty:
            if self._due:
                return []
            connections.close_all()
            first = self._queue.get()
        batch = [first]
        while not self._queue.empty() and len(batch) < 1000:
            batch.append(self._queue.get())
        return batch

    def _do_due(self) -> None:
        now = time.monotonic()
        for step in [step for step, at in self._due.items() if at <= now]:
            try:
                step()
            except Exception:  # the thread must outlive a database that is away
                logger.exception("Left what was published to the relay.")
            del self._due[step]

    def _push(self, batch: list[tuple[Push, Sequence[Any]]]) -> None:
        joined: dict[Push, list[Any]] = defaultdict(list)
        for push, rows in batch:
            joined[push].extend(rows)
        for push, rows in joined.items():
            try:
                close_old_connections()
                push(rows)
            except Exception:  # the thread must outlive a database that is away
                logger.exception("Left %d messages to the relay.", len(rows))


_publisher = Publisher()
put = _publisher.put
later = _publisher.later
flush = _publisher.flush
atexit.register(flush)
os.register_at_fork(after_in_child=_publisher.reset)
