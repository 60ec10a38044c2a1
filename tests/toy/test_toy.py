"""What is the toy's own; what it promises is in tests/conformance."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BrokerConfigError, BrokerUnavailable
from tests.backends.receivers import QUEUE, Recorder, message
from tests.toy.backend import ToyBackend


@pytest.fixture
def receiver() -> Recorder:
    return Recorder()


@pytest.fixture
def toy(receiver: Recorder, tmp_path: Path) -> ToyBackend:
    return ToyBackend("alias", tmp_path.as_uri(), receiver)


def test_urgent_messages_are_delivered_first_then_the_oldest(
    toy: ToyBackend, receiver: Recorder
) -> None:
    toy.publish([message("first"), message("second")])
    toy.publish([message("third"), replace(message("urgent"), band=0)])
    while toy.run_next([QUEUE]):
        pass
    bodies = [body for _, body in receiver.delivered]
    assert bodies == ["urgent", "first", "second", "third"]


def test_message_whose_delivery_raises_is_given_back(
    toy: ToyBackend, receiver: Recorder
) -> None:
    toy.publish([message()])
    receiver.failing = True
    with pytest.raises(ConnectionError):
        toy.run_next([QUEUE])
    assert toy.depth(QUEUE) == 1


def test_bytes_that_are_no_text_are_parked(
    toy: ToyBackend, receiver: Recorder, tmp_path: Path
) -> None:
    toy.publish([message()])
    (file,) = tmp_path.glob(f"waiting/{QUEUE}/*")
    file.write_bytes(b"\xff")
    assert toy.run_next([QUEUE])
    assert [body for body, _ in receiver.parked] == [b"\xff"]
    assert toy.depth(QUEUE) == 0


def test_message_taken_by_a_dead_process_is_given_back(
    toy: ToyBackend, tmp_path: Path
) -> None:
    toy.publish([message()])
    (file,) = tmp_path.glob(f"waiting/{QUEUE}/*")
    taken = tmp_path / "taken" / "4194305" / QUEUE  # above every pid
    taken.mkdir(parents=True)
    file.rename(taken / file.name)
    assert toy.depth(QUEUE) == 0
    toy.give_back_of_the_dead()
    assert toy.depth(QUEUE) == 1


def test_url_of_another_kind_is_refused() -> None:
    with pytest.raises(BrokerConfigError, match="file:///path"):
        ToyBackend("alias", "redis://localhost/0", Recorder())


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    toy = ToyBackend("alias", (tmp_path / "file").as_uri(), Recorder())
    with pytest.raises(BrokerUnavailable):
        toy.ping()
