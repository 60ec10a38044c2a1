"""The signals that tell a worker to stop."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue


@contextmanager
def stop_signals() -> Iterator["SimpleQueue[int]"]:
    """Put SIGTERM and SIGINT into a queue, from the main thread.

    SimpleQueue, because a signal may arrive in the midst of an Event's own lock.
    """
    stop: SimpleQueue[int] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda number, frame: stop.put(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def when_told(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT, in a thread that may take locks."""
    with stop_signals() as told:

        def heed() -> None:
            told.get()
            stop()

        threading.Thread(target=heed, daemon=True).start()
        yield
