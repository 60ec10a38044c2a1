"""What is particular to the Dramatiq adapter: URLs, settings, deadlines."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq.brokers.stub import StubBroker

from backends.dramatiq import DramatiqBackend
from backends.dramatiq.broker import Options
from backends.dramatiq.rabbitmq_broker import RabbitmqBroker
from backends.dramatiq.settings import dramatiq_broker
from backends.dramatiq.urls import normalise
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


@pytest.mark.parametrize("path", ["", "/", "//", "/%2F", "/%2f"])
def test_every_spelling_of_the_default_virtual_host_is_one(path: str) -> None:
    url = f"amqp://guest:guest@localhost:5672{path}"
    backend = DramatiqBackend("alias", url, Recorder())
    assert isinstance(backend.broker, RabbitmqBroker)
    assert backend.broker.parameters.virtual_host == "/"


@pytest.mark.parametrize("path", ["/a/b", "/a%2Fb"])
def test_virtual_host_may_have_a_slash(path: str) -> None:
    assert normalise("alias", f"amqp://localhost{path}") == "amqp://localhost/a%2Fb"


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis://:secret@localhost",
        "rediss://localhost:6379/1?ssl_cert_reqs=required",
        "unix:///run/valkey.sock?db=0",
        "amqps://localhost/%2F",
    ],
)
def test_accepted_url_is_kept(url: str) -> None:
    assert DramatiqBackend("alias", url, Recorder()).url == url


@pytest.mark.parametrize(
    "url",
    [
        "sqs://user:secret@localhost",
        "localhost:6379",
        "",
        "redis://:secret@localhost:port/0",
        "redis://:secret@localhost/jobs",
        "amqp://guest@localhost//",
    ],
)
def test_unusable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BrokerConfigError, match=r"BROKERS\['alias'\]: URL: ") as error:
        DramatiqBackend("alias", url, Recorder())
    assert "secret" not in str(error.value)


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


def test_option_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BrokerConfigError, match="publish_timeout is 0"):
        DramatiqBackend("alias", "redis://localhost", Recorder(), publish_timeout=0)


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
