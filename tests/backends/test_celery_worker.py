"""Celery's own worker as the adapter runs it, on real brokers.

Run as a module, this file is that worker: it tells on standard output what the
receiver heard, and goes on with held messages when told to.
"""

import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from backends.celery import CeleryBackend
from core.backend import EngineMessage
from tests.services.server import guard
from tests.services.waiting import wait_for

PROJECT = Path(__file__).parents[2]
ACTOR = "shop.tasks.send_receipt"
#: Bodies that begin so are held until the test says go, or fail the first time.
HOLD, FAIL = "hold", "fail"
MIB = 1024 * 1024


class Teller:
    """A receiver whose every word goes to standard output, one line each."""

    longest = 10_000_000

    def __init__(self, alias: str, queue: str) -> None:
        self.alias = alias
        self.queue = queue
        self.go = threading.Event()
        self.may_fail = threading.Event()
        self.failed: set[str] = set()

    def deliver(self, queue: str, body: str) -> None:
        short = body if len(body) < 100 else f"{len(body)} {zlib.crc32(body.encode())}"
        self.tell(f"{queue} {short}")
        if body.startswith(HOLD):
            self.go.wait()
            self.tell("released")
        if body.startswith(FAIL) and body not in self.failed:
            self.failed.add(body)
            self.may_fail.wait()
            raise ConnectionError("no database")

    def park(self, queue: str, body: bytes, reason: str) -> None:
        self.tell(f"parked {reason}")

    def worker_started(self, threads: int) -> None:
        self.tell(f"started {threads}")

    def worker_stopping(self) -> None:
        name = "main" if is_main() else "another"
        self.tell(f"stopping, told by {name} thread")

    def worker_stopped(self) -> None:
        self.tell("stopped")

    def actors(self) -> Mapping[str, str]:
        return {ACTOR: self.queue}

    def tell(self, line: str) -> None:
        os.write(1, f"{self.alias} {line}\n".encode())  # one call: lines stay whole


def is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def listen(teller: Teller) -> None:
    """Let go what is held at the first word, and what is to fail at the second."""
    for event in (teller.go, teller.may_fail):
        os.read(0, 1)  # nobody is left to unlock sys.stdin at the exit
        event.set()


def serve(url: str, queue: str) -> None:
    """Run a worker of one thread, beside another alias that has none."""
    teller = Teller("ours", queue)
    ours, other = (
        CeleryBackend(alias, url, receiver)
        for alias, receiver in (("ours", teller), ("other", Teller("other", queue)))
    )
    threading.Thread(target=listen, args=[teller], daemon=True).start()
    ours.work([queue], 1)
    assert other  # it lived as long, and heard Celery's signals


class Worker:
    """The worker's process, and what it has told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def told(self, line: str) -> bool:
        return line in self.lines

    def until(self, *lines: str) -> None:
        """Wait until it has told every line."""
        try:
            wait_for(lambda: all(map(self.told, lines)), 30, str(lines))
        except TimeoutError as error:
            error.add_note(f"It told {self.lines}")
            raise

    def go(self) -> None:
        """Let go what is held; called again, let fail what is to fail."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(("ours ", "other ")):  # Celery writes there as well
                self.lines.append(line.rstrip())


@contextmanager
def working(url: str, queue: str) -> Iterator[Worker]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.backends.test_celery_worker", url, queue],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watch = guard(process.pid)
    try:
        worker = Worker(process)
        worker.until("ours started 1")
        yield worker
    finally:
        process.kill()
        process.wait()
        watch.communicate(b"\n")


@pytest.fixture(params=["valkey", "rabbitmq"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def queue() -> str:
    return f"test.celery.ours.{uuid4().hex}"


@pytest.fixture
def backend(server: Any, queue: str) -> CeleryBackend:
    return CeleryBackend("ours", server.url, Teller("ours", queue))


@pytest.fixture
def worker(server: Any, queue: str, backend: CeleryBackend) -> Iterator[Worker]:
    # Something waits already: the worker finds a queue that a publisher declared.
    backend.publish([message(queue, HOLD)])
    with working(server.url, queue) as started:
        started.until(f"ours {queue} {HOLD}")
        yield started


def publish(backend: CeleryBackend, queue: str, *bands: int) -> None:
    """Publish a message for each band, whose body is the band."""
    backend.publish([message(queue, f"band {band}", band) for band in bands])


def message(queue: str, body: str, band: int = 2) -> EngineMessage:
    return EngineMessage(str(uuid4()), ACTOR, queue, body, band)


def test_messages_behind_a_busy_worker_are_served_by_band(
    backend: CeleryBackend, queue: str, worker: Worker
) -> None:
    publish(backend, queue, 4, 3, 2, 1, 0)
    publish(backend, queue, 2, 0)
    assert backend.depth(queue) == 7  # a thread without a body to run takes nothing
    worker.go()
    wait_for(lambda: len(worker.lines) == 10, 30, f"all in {worker.lines}")
    served = [f"ours {queue} band {band}" for band in (0, 0, 1, 2, 2, 3, 4)]
    assert worker.lines[3:] == served


def test_message_that_was_given_back_keeps_its_band(
    backend: CeleryBackend, queue: str, worker: Worker
) -> None:
    backend.publish([message(queue, FAIL, 3)])
    worker.go()
    worker.until(f"ours {queue} {FAIL}")
    publish(backend, queue, 4, 2)
    worker.go()
    worker.until(f"ours {queue} band 4")
    order = [line.removeprefix(f"ours {queue} ") for line in worker.lines[3:]]
    assert order == [FAIL, "band 2", FAIL, "band 4"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_receiver_hears_of_the_stop_while_a_body_still_runs(
    worker: Worker, queue: str, number: signal.Signals
) -> None:
    worker.process.send_signal(number)
    worker.until("ours stopping, told by another thread")
    worker.process.send_signal(signal.SIGTERM)
    worker.go()
    worker.process.wait(30)
    wait_for(lambda: worker.told("ours stopped"), 20, str(worker.lines))
    assert worker.lines == [
        "ours started 1",
        f"ours {queue} {HOLD}",
        "ours stopping, told by another thread",
        "ours released",
        "ours stopped",
    ]


def test_body_of_a_mebibyte_arrives_as_it_was_sent(
    backend: CeleryBackend, queue: str, worker: Worker
) -> None:
    worker.go()
    body = "ünïcödé " * (MIB // 8)
    backend.publish([message(queue, body)])
    worker.until(f"ours {queue} {len(body)} {zlib.crc32(body.encode())}")


if __name__ == "__main__":
    serve(*sys.argv[1:])
