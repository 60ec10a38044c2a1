"""URLs and OPTIONS: what both engines understand, and what they refuse."""

import ssl
from typing import Any

import pika
import pytest
import redis

from backends.address import parse
from backends.celery.urls import kombu_arguments
from backends.dramatiq.urls import pika_parameters, redis_pool
from core.errors import BrokerConfigError
from tests.backends.receivers import KINDS, build


def kombu(url: str) -> dict[str, Any]:
    return kombu_arguments(parse("alias", url))


def pool(url: str) -> redis.ConnectionPool:
    return redis_pool(parse("alias", url))


def parameters(url: str) -> pika.ConnectionParameters:
    return pika_parameters(parse("alias", url))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://host", "0"),
        ("redis://host/3", "3"),
        ("redis://host?db=4", "4"),
        ("unix:///run/redis.sock?db=5", "5"),
        ("amqp://host", "/"),
        ("amqp://host/", "/"),
        ("amqp://host//", "/"),
        ("amqp://host/%2F", "/"),
        ("amqp://host/%2f", "/"),
        ("amqp://host/staging", "staging"),
        ("amqp://host/a/b", "a/b"),
        ("amqp://host/a%2Fb", "a/b"),
    ],
)
def test_database_and_virtual_host_are_read_by_both(url: str, place: str) -> None:
    assert kombu(url)["virtual_host"] == place
    if "amqp" in url:
        assert parameters(url).virtual_host == place
    else:
        assert str(pool(url).connection_kwargs["db"]) == place


def test_urls_of_one_place_are_equal() -> None:
    assert parse("alias", "amqp://host") == parse("alias", "amqp://host/%2F")
    assert parse("alias", "redis://host") == parse("alias", "redis://host?db=0")
    assert parse("alias", "redis://host") != parse("alias", "redis://host/1")


def test_user_and_password_are_read_by_both() -> None:
    url = "amqp://u:p%40ss@host:5673/staging"
    assert kombu(url) == {
        "transport": "amqp",
        "hostname": "host",
        "port": 5673,
        "userid": "u",
        "password": "p@ss",
        "virtual_host": "staging",
    }
    login = parameters(url).credentials
    assert (login.username, login.password) == ("u", "p@ss")
    kwargs = pool("redis://u:p%40ss@host:6380/2").connection_kwargs
    assert (kwargs["username"], kwargs["password"]) == ("u", "p@ss")
    assert (kwargs["host"], kwargs["port"]) == ("host", 6380)


def test_socket_keeps_its_path_and_password() -> None:
    url = "unix://:p%40w@/run/redis.sock"
    assert kombu(url)["hostname"] == "redis+socket://:p%40w@/run/redis.sock"
    kwargs = pool(url).connection_kwargs
    assert (kwargs["path"], kwargs["password"]) == ("/run/redis.sock", "p@w")


def test_tls_verifies_the_broker_unless_told_otherwise() -> None:
    trusting = "?ssl_cert_reqs=none"
    assert kombu("rediss://host")["ssl"] == {"ssl_cert_reqs": "required"}
    assert kombu(f"rediss://host{trusting}")["ssl"] == {"ssl_cert_reqs": "none"}
    assert pool("rediss://host").connection_class is redis.SSLConnection
    assert pool("rediss://host").connection_kwargs["ssl_cert_reqs"] == "required"
    assert kombu("amqps://host")["ssl"] == {
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": "host",
    }
    assert kombu(f"amqps://host{trusting}")["ssl"] == {"cert_reqs": ssl.CERT_NONE}
    verified = parameters("amqps://host")
    assert verified.port == pika.ConnectionParameters.DEFAULT_SSL_PORT
    assert verified.ssl_options.context.verify_mode is ssl.CERT_REQUIRED
    assert verified.ssl_options.context.check_hostname
    context = parameters(f"amqps://host{trusting}").ssl_options.context
    assert context.verify_mode is ssl.CERT_NONE


def test_certificate_that_is_not_there_is_refused_by_its_setting() -> None:
    url = "amqps://host?ssl_ca_certs=/nowhere.pem"
    with pytest.raises(BrokerConfigError, match=r"BROKERS\['alias'\]: URL: TLS: .*No "):
        build(KINDS[1], url)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("", "scheme must be one of"),
        ("sqs://key:secret@host", "scheme must be one of redis, rediss, unix, amqp"),
        ("host:6379", "scheme must be one of"),
        ("redis://user:secret@", "names no host"),
        ("redis://:6379/0", "names no host"),
        ("redis://:secret@host:port/0", "%2F"),
        ("redis://user:secret@host/mail", "a Redis database is a number"),
        ("redis://user:secret@host?dbb=1", "no parameter 'dbb'"),
        ("redis://host?ssl_cert_reqs=none", "no parameter 'ssl_cert_reqs'"),
        ("rediss://host?ssl_cert_reqs=no", "must be one of none, optional, required"),
        ("redis://user:se/cret@host", "%2F"),
        ("unix://user:secret@run/redis.sock", "three slashes"),
        ("amqp://guest@localhost//", "a user and no password"),
        ("amqp://host?heartbeat=3", "no parameter 'heartbeat'"),
    ],
)
def test_url_that_no_engine_can_use_is_refused_without_its_password(
    kind: str, url: str, mend: str
) -> None:
    with pytest.raises(BrokerConfigError) as refusal:
        build(kind, url)
    text = str(refusal.value)
    assert text.startswith("BROKERS['alias']: URL: ")
    assert mend in text
    assert "secret" not in text
    assert "cret" not in text.replace("secret", "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("publish_timeout", 0),
        ("publish_timeout", "2"),
        ("publish_timeout", float("nan")),
        ("dead_after", -1),
        ("dead_after", None),
        ("dead_after", True),
        ("heartbeat", 0),
        ("heartbeat", 2.5),
        ("heartbeat", "3"),
    ],
)
def test_option_that_makes_no_sense_is_refused_by_both(
    kind: str, scheme: str, name: str, value: Any
) -> None:
    with pytest.raises(BrokerConfigError, match=rf"OPTIONS: {name} is .* above 0"):
        build(kind, f"{scheme}://host", **{name: value})
