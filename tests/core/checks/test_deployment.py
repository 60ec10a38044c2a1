"""What `manage.py check --deploy` says, and asks the brokers' servers."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from backends.inprocess import InProcessBackend
from core import actor, brokers, checks
from core.backend import CONCERN_SECONDS, Concern
from core.registry import registry
from tests.core.checks.reading import CELERY, DRAMATIQ, INPROCESS, ids, with_bad
from tests.services.environment import free_port
from tests.services.valkey import Valkey
from tests.services.waiting import PATIENCE, in_time


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: None, ["W102", "W104", "W101"]),
        (lambda s: setattr(s, "SECRET_KEY", "x" * 50), ["W102", "W104"]),
        (
            lambda s: setattr(
                s,
                "BROKERS",
                {"default": {"BACKEND": DRAMATIQ, "URL": "redis://far.example/0"}},
            ),
            ["W103", "W107", "W104", "W101"],
        ),
        (lambda s: setattr(s, "DEBUG", True), ["W102", "W104", "W101", "W108"]),
    ],
)
def test_deployment_is_warned_of(
    settings: Any, change: Callable[[Any], None], expected: list[str]
) -> None:
    settings.BROKERS = {"default": {"BACKEND": INPROCESS}}
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}
    settings.DATABASES = {"default": sqlite}
    change(settings)
    assert ids(checks.check_deployment()) == expected


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("redis://:secret@far.example/0", "Write rediss://"),
        ("amqp://me:secret@far.example//", "Write amqps://"),
    ],
)
def test_plain_text_to_another_host_is_warned_of(
    settings: Any, url: str, mend: str
) -> None:
    settings.BROKERS = {"default": {"BACKEND": DRAMATIQ, "URL": url}}
    (found,) = [m for m in checks.check_deployment() if m.id == "switchyard.W107"]
    assert "far.example in plain text" in found.msg
    assert mend in (found.hint or "")
    assert "secret" not in f"{found}"


@pytest.mark.parametrize(
    "url", ["rediss://:x@far.example/0", "redis://localhost/0", "unix:///tmp/x.sock"]
)
def test_local_broker_is_not_warned_of(settings: Any, url: str) -> None:
    settings.BROKERS = {"default": {"BACKEND": DRAMATIQ, "URL": url}}
    assert "W107" not in ids(checks.check_deployment())


@pytest.fixture(params=[CELERY, DRAMATIQ], ids=["celery", "dramatiq"])
def redis(request: pytest.FixtureRequest, settings: Any, valkey: Valkey) -> Valkey:
    """A server that is asked by either engine."""
    settings.BROKERS = {"default": {"BACKEND": request.param, "URL": valkey.url}}
    brokers.forget("default")
    return valkey


@pytest.fixture
def evicting(redis: Valkey) -> Iterator[Valkey]:
    with Redis(port=redis.port) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        yield redis
        client.config_set("maxmemory-policy", "noeviction")


def test_server_that_drops_queues_is_warned_of(evicting: Valkey) -> None:
    (found,) = checks.check_servers()
    assert found.id == "switchyard.W105"
    assert "maxmemory-policy is allkeys-lru" in found.msg
    assert "noeviction" in (found.hint or "")


def test_server_that_keeps_them_is_fine(redis: Valkey) -> None:
    assert checks.check_servers() == []
    with Redis(port=redis.port) as client:
        client.config_set("maxmemory-policy", "volatile-lru")
        assert checks.check_servers() == []
        client.config_set("maxmemory-policy", "noeviction")


@pytest.fixture
def forgetting(redis: Valkey) -> Iterator[Valkey]:
    with Redis(port=redis.port) as client:
        client.config_set("appendonly", "no")
        yield redis
        client.config_set("save", "")
        client.config_set("appendonly", "yes")


def test_server_that_saves_nothing_concerns_direct_messages_alone(
    forgetting: Valkey,
) -> None:
    direct = [a for a in registry if not a.options.get("durable", True)]
    for one in direct:
        del registry._actors[one.actor_name]
    assert checks.check_servers() == []
    actor(actor_name="test.check.direct", durable=False)(lambda: None)
    (found,) = checks.check_servers()
    assert found.id == "switchyard.W105"
    assert "a restart loses what is sent with durable=False" in found.msg
    assert "appendonly" in (found.hint or "")
    with Redis(port=forgetting.port) as client:
        client.config_set("save", "3600 1")
    assert checks.check_servers() == []


def test_server_that_does_not_tell_how_it_saves_is_fine(forgetting: Valkey) -> None:
    actor(actor_name="test.check.direct", durable=False)(lambda: None)
    with Redis(port=forgetting.port) as client:
        client.execute_command("ACL", "SETUSER", "default", "-config|get")
        try:
            assert checks.check_servers() == []
        finally:
            client.execute_command("ACL", "SETUSER", "default", "+config|get")


class Lost(InProcessBackend):
    """Looks for its server's name for as long as the test lasts."""

    found = threading.Event()

    def concerns(self) -> list[Concern]:
        self.found.wait(60)
        return []


def test_name_that_is_looked_up_for_ever_is_a_warning_within_its_deadline(
    settings: Any,
) -> None:
    settings.BROKERS = {"default": {"BACKEND": f"{__name__}.Lost"}}
    brokers.forget("default")
    started = time.monotonic()
    try:
        assert ids(checks.check_servers()) == ["W106"]
    finally:
        Lost.found.set()
    took = time.monotonic() - started
    in_time(took, 4 * CONCERN_SECONDS * PATIENCE, "the checks")


def test_server_that_does_not_answer_is_a_warning_within_its_deadline(
    redis: Valkey,
) -> None:
    assert checks.check_servers() == []  # a connection is open
    redis.freeze()
    started = time.monotonic()
    try:
        found = checks.check_servers()
    finally:
        redis.thaw()
    assert ids(found) == ["W106"]
    took = time.monotonic() - started
    in_time(took, 4 * CONCERN_SECONDS * PATIENCE, "the checks")


@pytest.mark.parametrize("backend", [CELERY, DRAMATIQ])
def test_server_that_is_not_there_is_a_warning(settings: Any, backend: str) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings.BROKERS = {"default": {"BACKEND": backend, "URL": url}}
    brokers.forget("default")
    (found,) = checks.check_servers()
    assert found.id == "switchyard.W106"
    assert found.hint


def test_alias_that_cannot_be_built_is_not_asked(settings: Any) -> None:
    with_bad(settings, BACKEND="backends.nowhere.Backend")
    assert checks.check_servers() == []
