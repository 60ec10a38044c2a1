"""What InProcessBackend promises beyond the contract of a backend."""

import pytest

from backends.inprocess import InProcessBackend
from core.errors import BrokerConfigError
from tests.backends.receivers import QUEUE, Recorder, message


def backend(receiver: Recorder, mode: str) -> InProcessBackend:
    return InProcessBackend("alias", "", receiver, mode=mode)


def test_immediate_delivers_while_publishing() -> None:
    receiver = Recorder()
    backend(receiver, "immediate").publish([message("a"), message("b")])
    assert receiver.delivered == [(QUEUE, "a"), (QUEUE, "b")]


def test_drained_keeps_messages_until_drain() -> None:
    receiver = Recorder()
    drained = backend(receiver, "drained")
    drained.publish([message("a"), message("b")])
    assert (receiver.delivered, drained.depth(QUEUE)) == ([], 2)
    assert drained.drain() == 2
    assert receiver.delivered == [(QUEUE, "a"), (QUEUE, "b")]
    assert drained.depth(QUEUE) == 0


def test_drain_delivers_what_is_published_meanwhile() -> None:
    class Chain(Recorder):
        def deliver(self, queue: str, body: str) -> None:
            super().deliver(queue, body)
            if body == "first":
                drained.publish([message("second")])

    receiver = Chain()
    drained = backend(receiver, "drained")
    drained.publish([message("first")])
    assert drained.drain() == 2


def test_drain_gives_back_what_could_not_be_settled() -> None:
    receiver = Recorder()
    receiver.failing = True
    drained = backend(receiver, "drained")
    drained.publish([message("a"), message("b")])
    with pytest.raises(ConnectionError):
        drained.drain()
    assert drained.depth(QUEUE) == 2


def test_purge_drops_one_queue_alone() -> None:
    drained = backend(Recorder(), "drained")
    drained.publish([message(), message(queue="other"), message()])
    assert drained.purge(QUEUE) == 2
    assert (drained.depth(QUEUE), drained.depth("other")) == (0, 1)


def test_unknown_mode_is_refused_by_name() -> None:
    with pytest.raises(BrokerConfigError, match=r"OPTIONS: mode is 'eager'"):
        backend(Recorder(), "eager")


def test_work_says_that_there_is_no_worker() -> None:
    with pytest.raises(NotImplementedError, match="has no worker"):
        backend(Recorder(), "immediate").work([QUEUE], 1)
