"""What a worker of Dramatiq does and says when it is told to stop."""

import os
import signal
import threading
import uuid

import pytest

from backends.dramatiq import DramatiqBackend
from backends.dramatiq.backend import MANY_QUEUES
from tests.backends.receivers import Recorder, message
from tests.services.valkey import Valkey
from tests.services.waiting import wait_for

SECONDS = 20


class Diary(Recorder):
    """A receiver whose bodies run until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.go = threading.Event()

    def deliver(self, queue: str, body: str) -> None:
        self.events.append(f"began {body}")
        self.go.wait(SECONDS)
        self.events.append(f"ended {body}")

    def worker_started(self, threads: int) -> None:
        self.events.append("started")

    def worker_stopping(self) -> None:
        self.events.append("stopping")

    def worker_stopped(self) -> None:
        self.events.append("stopped")


@pytest.mark.parametrize("server", ["valkey", "rabbitmq"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_worker_says_so_and_takes_nothing_more(
    request: pytest.FixtureRequest, server: str, number: int
) -> None:
    diary, queue = Diary(), f"test.{uuid.uuid4()}"
    url = request.getfixturevalue(server).url
    backend = DramatiqBackend("alias", url, diary)

    def operate() -> None:
        try:
            wait_for(lambda: "started" in diary.events, SECONDS)
            backend.publish([message("first", queue)])
            wait_for(lambda: "began first" in diary.events, SECONDS)
            os.kill(os.getpid(), number)
            wait_for(lambda: "stopping" in diary.events, SECONDS)
            # Longer than the three idle threads of the worker need to end.
            backend.publish([message("second", queue), message("third", queue)])
            threading.Event().wait(1)
            diary.events.append(f"{backend.depth(queue)} wait")
        finally:
            diary.go.set()

    operator = threading.Thread(target=operate)
    operator.start()
    backend.work([queue], 4)
    operator.join()
    assert diary.events == [
        *("started", "began first", "stopping", "2 wait", "ended first", "stopped")
    ]


def test_too_many_queues_are_warned_of_at_the_start(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    diary, name = Diary(), uuid.uuid4()
    backend = DramatiqBackend("alias", valkey.url, diary)

    def operate() -> None:
        wait_for(lambda: "started" in diary.events, SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    operator = threading.Thread(target=operate)
    operator.start()
    backend.work([f"test.{name}.{n}" for n in range(MANY_QUEUES + 1)], 1)
    operator.join()
    assert f"for each of its {MANY_QUEUES + 1} queues" in caplog.text
