"""What is particular to the Dramatiq adapter: URLs, settings, deadlines."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq.brokers.stub import StubBroker

from backends.dramatiq import DramatiqBackend
from backends.dramatiq.broker import Options
from backends.dramatiq.settings import dramatiq_broker
from core.errors import BrokerConfigError, BrokerUnavailable
from core.secrets.urls import without_password
from tests.backends.receivers import QUEUE, Recorder, message
from tests.backends.taking import faster_than

BACKEND = "backends.dramatiq.DramatiqBackend"


@pytest.fixture
def frozen_port() -> Iterator[int]:
    """A port where connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:s@cret@host/0?password=s@cret", "redis://me:***@host/0"),
        ("redis://:se?cret@host/0", "redis://***"),
        ("me:secret@host", "me:***@host"),
        ("redis://host/0", "redis://host/0"),
    ],
)
def test_password_is_masked_however_it_is_written(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_settings_name_the_broker_of_the_default_alias() -> None:
    brokers: dict[str, dict[str, Any]] = {
        "bulk": {"BACKEND": BACKEND, "URL": "redis://localhost"},
        "default": {
            "BACKEND": BACKEND,
            "URL": "amqp://localhost//",
            "OPTIONS": {"heartbeat": 7},
        },
    }
    setting = dramatiq_broker(brokers)
    assert setting["BROKER"].endswith("RabbitmqBroker")
    assert setting["OPTIONS"]["alias"] == "default"
    assert setting["OPTIONS"]["options"] == Options(heartbeat=7)


def test_settings_without_dramatiq_name_a_broker_that_connects_nowhere() -> None:
    brokers = {
        "default": {"BACKEND": "backends.celery.CeleryBackend", "URL": "amqp://x"}
    }
    assert dramatiq_broker(brokers)["BROKER"].endswith(StubBroker.__name__)


def test_settings_refuse_an_unknown_option_by_alias() -> None:
    brokers = {
        "default": {"BACKEND": BACKEND, "URL": "redis://x", "OPTIONS": {"hartbeat": 5}}
    }
    with pytest.raises(
        BrokerConfigError, match=r"BROKERS\['default'\]: OPTIONS: .*hart"
    ):
        dramatiq_broker(brokers)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_publish_to_a_frozen_broker_fails_within_its_deadline(
    scheme: str, frozen_port: int
) -> None:
    url = f"{scheme}://127.0.0.1:{frozen_port}"
    backend = DramatiqBackend("alias", url, Recorder(), publish_timeout=0.4)
    with faster_than(0.5), pytest.raises(BrokerUnavailable):
        backend.publish([message()])


@pytest.mark.parametrize("scheme", ["redis", "rediss", "amqp", "amqps", "unix"])
def test_broker_that_is_down_is_reported_at_once(scheme: str, closed_port: int) -> None:
    place = "/no/such/socket" if scheme == "unix" else f"127.0.0.1:{closed_port}"
    url = f"{scheme}://{place}"
    backend = DramatiqBackend("alias", url, Recorder())
    calls = (
        backend.ping,
        lambda: backend.depth(QUEUE),
        lambda: backend.purge(QUEUE),
    )
    with faster_than(1):
        for call in calls:
            with pytest.raises(BrokerUnavailable, match="'alias'"):
                call()
