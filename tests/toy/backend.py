"""A broker that is a folder, as somebody else would write a backend for it.

    waiting/<queue>/<band>-<when>-<number>-<unique>   a message; its text is the body
    taken/<pid>/<queue>/<the same name>               while a worker has it in hand

A rename is atomic: of two workers one gets the file. A power cut may lose what was
just written; core sends it again.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

from psutil import pid_exists

from core.backend import BaseBackend, Hint, Receiver
from core.errors import BrokerConfigError, BrokerUnavailable

logger = logging.getLogger(__name__)

#: An idle thread looks again after so long; the main thread for a signal; after an
#: error; s.
IDLE, TOLD, BROKEN = 0.05, 0.2, 1.0


class ToyBackend(BaseBackend):
    """Messages as files below a folder of this machine, file:///path."""

    engine = "toy"
    supports_events = False

    def __init__(self, alias: str, url: str, receiver: Receiver) -> None:
        super().__init__(alias, url, receiver)
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc or not parts.path:
            raise BrokerConfigError(alias, "URL", f"{url!r} is not file:///path.")
        self.root = Path(unquote(parts.path))

    def publish(self, hints: Sequence[Hint], seconds: float | None = None) -> None:
        now = time.time_ns()
        for number, hint in enumerate(hints):
            name = f"{hint.band}-{now:020}-{number:06}-{uuid4().hex}"
            with self._waiting(hint.queue) as folder:
                (folder / f".{name}").write_text(hint.body)
                (folder / f".{name}").rename(folder / name)

    def depth(self, queue: str) -> int:
        with self._waiting(queue) as folder:
            return len(_names(folder))

    def purge(self, queue: str) -> int:
        with self._waiting(queue) as folder:
            return sum(_done((folder / name).unlink) for name in _names(folder))

    def ping(self) -> None:
        with self._waiting("ping"):
            return

    def work(self, queues: Sequence[str], threads: int) -> None:
        told: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: told.append(number))
        self.give_back(os.getpid())  # an earlier process may have had our number
        ending = threading.Event()
        with ThreadPoolExecutor(threads) as crew:
            for _ in range(threads):
                crew.submit(self._serve, queues, ending)
            self.receiver.worker_started(threads)
            while not told:
                with suppress(OSError):  # the folder is away: it comes back
                    self.give_back_of_the_dead()
                time.sleep(TOLD)
            self.receiver.worker_stopping()
            ending.set()
        self.receiver.worker_stopped()

    def _serve(self, queues: Sequence[str], ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                if not self.run_next(queues):
                    ending.wait(IDLE)
            except Exception:  # the folder, or core's database, is away: both come back
                logger.exception("Gave a message back.")
                ending.wait(BROKEN)

    def run_next(self, queues: Sequence[str]) -> bool:
        """Deliver the first message that nobody else takes; say if there was one."""
        waiting = [(name, q) for q in queues for name in _names(self._folder(q))]
        for name, queue in sorted(waiting):
            origin = self._folder(queue) / name
            mine = _made(self.root / "taken" / f"{os.getpid()}" / origin.parent.name)
            if _done(origin.rename, mine / name):
                try:
                    self._deliver(queue, (mine / name).read_bytes())
                except BaseException:
                    (mine / name).rename(origin)
                    raise
                (mine / name).unlink()
                return True
        return False

    def _deliver(self, queue: str, raw: bytes) -> None:
        try:
            body = raw.decode()
        except UnicodeDecodeError as error:
            self.receiver.park(queue, raw, f"the message is no text: {error.reason}")
        else:
            self.receiver.deliver(queue, body)

    def give_back_of_the_dead(self) -> None:
        for pid in map(int, _names(_made(self.root / "taken"))):
            if not pid_exists(pid):
                self.give_back(pid)

    def give_back(self, pid: int) -> None:
        for file in self.root.glob(f"taken/{pid}/*/*"):
            _done(file.rename, self.root / "waiting" / file.parent.name / file.name)

    def _folder(self, queue: str) -> Path:
        return _made(self.root / "waiting" / quote(queue, safe=""))

    @contextmanager
    def _waiting(self, queue: str) -> Iterator[Path]:
        try:
            yield self._folder(queue)
        except OSError as error:
            raise BrokerUnavailable(self.alias, str(error)) from error


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _names(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.startswith(".")]


def _done(step: Callable[..., object], *args: object) -> bool:
    """Take a step with a file; False if it is gone, because somebody was faster."""
    try:
        step(*args)
    except FileNotFoundError:
        return False
    return True
