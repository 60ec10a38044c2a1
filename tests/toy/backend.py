"""A broker that is a folder, as somebody else would write a backend for it.

    waiting/<queue>/<band>-<when>-<unique>   a message; its text is the body
    taken/<pid>/<queue>/<the same name>      while a worker has it in hand

A rename is atomic: of two workers one gets the file. A power cut may lose what was
just written; core sends it again.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

from psutil import pid_exists

from core.backend import BaseBackend, EngineMessage, Receiver
from core.errors import BrokerConfigError, BrokerUnavailable

logger = logging.getLogger(__name__)


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

    def publish(
        self, messages: Sequence[EngineMessage], seconds: float | None = None
    ) -> None:
        for message in messages:
            with self._waiting(message.queue) as folder:
                name = f"{message.band}-{time.time_ns():020}-{uuid4().hex}"
                (folder / f".{name}").write_text(message.payload)
                (folder / f".{name}").rename(folder / name)

    def depth(self, queue: str) -> int:
        with self._waiting(queue) as folder:
            return len(_names(folder))

    def purge(self, queue: str) -> int:
        with self._waiting(queue) as folder:
            return sum(_done((folder / name).unlink) for name in _names(folder))

    def ping(self) -> None:
        with self._waiting("ping"):
            pass

    def work(self, queues: Sequence[str], threads: int) -> None:
        told: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: told.append(number))
        self._give_back(os.getpid())  # an earlier process may have had our number
        with ThreadPoolExecutor(threads) as crew:
            for _ in range(threads):
                crew.submit(self._serve, queues, told)
            self.receiver.worker_started(threads)
            while not told:
                time.sleep(0.1)
            self.receiver.worker_stopping()
        self.receiver.worker_stopped()

    def _serve(self, queues: Sequence[str], told: Sequence[int]) -> None:
        while not told:
            try:
                if not self.run_next(queues):
                    self.give_back_of_the_dead()
                    time.sleep(0.05)
            except Exception:  # the folder, or core's database, is away: both come back
                logger.exception("Gave a message back.")
                time.sleep(1)

    def run_next(self, queues: Sequence[str]) -> bool:
        """Deliver the first message that nobody else takes; say if there was one."""
        waiting = [(name, q) for q in queues for name in _names(self._folder(q))]
        for name, queue in sorted(waiting):
            origin = self._folder(queue) / name
            mine = _made(self._taken(os.getpid()) / origin.parent.name) / name
            if _done(origin.rename, mine):
                try:
                    self._deliver(queue, mine.read_bytes())
                except BaseException:
                    mine.rename(origin)
                    raise
                mine.unlink()
                return True
        return False

    def _deliver(self, queue: str, raw: bytes) -> None:
        try:
            payload = raw.decode()
        except UnicodeDecodeError as error:
            self.receiver.park(queue, raw, f"the message is no text: {error.reason}")
        else:
            self.receiver.deliver(queue, payload)

    def give_back_of_the_dead(self) -> None:
        for pid in map(int, _names(_made(self.root / "taken"))):
            if not pid_exists(pid):
                self._give_back(pid)

    def _give_back(self, pid: int) -> None:
        for file in self._taken(pid).glob("*/*"):
            _done(file.rename, self.root / "waiting" / file.parent.name / file.name)

    def _taken(self, pid: int) -> Path:
        return self.root / "taken" / str(pid)

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
