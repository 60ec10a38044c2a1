"""What is longer than any message of ours is parked, and never parsed."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from backends.dramatiq.wire import encode
from core import PayloadTooLarge, actor, brokers
from core.backend import EngineMessage
from core.broker.broker import PARKED_BYTES, Broker
from core.models import Parked, Run
from core.wire.envelope import Envelope

pytestmark = pytest.mark.django_db(transaction=True)
#: The letters that grow most on their way: in JSON, in JSON once more, in base64.
WORST = ["x", "é", "中", "\U0001f600", '"', "\\", "\x01", "\n"]
seen: list[int] = []


@actor(actor_name="test.oversized.measure", durable=False)
def measure(text: str) -> None:
    seen.append(len(text))


@pytest.fixture
def broker(transactional_db: None) -> Iterator[Broker]:
    seen.clear()
    yield brokers["default"]
    brokers["default"].worker_stopped()
    brokers.forget("default")  # its keys may be others


def longest_text(letter: str, broker: Broker) -> str:
    room = broker.enqueuer.max_payload - len('[[""], {}, {}]')
    return letter * (room // len(json.dumps(letter, ensure_ascii=False).encode()[1:-1]))


@pytest.mark.parametrize("letter", WORST, ids=ascii)
def test_largest_allowed_message_fits(broker: Broker, letter: str) -> None:
    text = longest_text(letter, broker)
    measure.send(text)
    assert seen == [len(text)]
    assert not Parked.objects.exists()


@pytest.mark.parametrize("letter", WORST, ids=ascii)
def test_largest_allowed_message_fits_on_both_engines(
    broker: Broker, letter: str
) -> None:
    message = measure.message(longest_text(letter, broker))
    body = broker.sender.signer.sign_message(broker.enqueuer.draft(message).message)
    celery = base64.b64encode(json.dumps([[body], {}, {}]).encode())
    dramatiq = encode(EngineMessage(message.message_id, message.actor_name, "q", body))
    assert max(len(celery) + 4096, len(dramatiq)) <= broker.longest


def test_oversized_payload_is_parked_with_its_first_bytes(broker: Broker) -> None:
    long = Envelope("q", measure.actor_name, ("x" * broker.longest_payload,), {}, {})
    body = broker.sender.signer.sign_message(long)  # even with our own signature
    broker.deliver("q", body)
    row = Parked.objects.get()
    assert (row.size, row.reason) == (
        len(body),
        f"it is longer than {broker.longest_payload} bytes",
    )
    assert bytes(row.payload) == body.encode()[:PARKED_BYTES]
    assert (seen, Run.objects.count()) == ([], 0)


def test_options_count_too(broker: Broker) -> None:
    huge = {"on_failure": "x" * broker.enqueuer.max_payload}
    message = measure.message("x").copy(options=huge)
    with pytest.raises(PayloadTooLarge):
        broker.enqueuer.draft(message)


def test_signature_of_an_older_key_verifies(broker: Broker, settings: Any) -> None:
    direct = broker.sender.signer.sign_message(measure.message("four"))
    row = measure.using(delay=600_000).send("fifth")
    Run.objects.update(due_at="2020-01-01T00:00:00Z")
    durable = broker.sender.signer.sign(row.message_id)
    rotate(settings, fallbacks=[settings.SECRET_KEY])
    for body in (direct, durable):
        brokers["default"].deliver("q", body)
    assert seen == [4, 5]


def test_signature_of_a_forgotten_key_does_not(broker: Broker, settings: Any) -> None:
    body = broker.sender.signer.sign_message(measure.message("four"))
    rotate(settings, fallbacks=[])
    brokers["default"].deliver("q", body)
    assert "signature" in Parked.objects.get().reason
    assert seen == []


def rotate(settings: Any, fallbacks: list[str]) -> None:
    """Start again with a new key, as a deploy does."""
    settings.SECRET_KEY_FALLBACKS = fallbacks
    settings.SECRET_KEY = "a newer key"
    brokers["default"].worker_stopped()
    brokers.forget("default")
