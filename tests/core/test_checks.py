"""What `manage.py check` says."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from redis import Redis

from backends.inprocess import InProcessBackend
from core import actor, brokers, checks, every
from core.backend import CONCERN_SECONDS, Concern
from core.databases import DEADLINES
from core.errors import BrokerConfigError
from core.registry import registry
from settings import databases
from tests.services.environment import free_port
from tests.services.valkey import Valkey
from tests.services.waiting import PATIENCE, in_time

INPROCESS = "backends.inprocess.InProcessBackend"
CELERY = "backends.celery.CeleryBackend"
DRAMATIQ = "backends.dramatiq.DramatiqBackend"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Forget the actors and the brokers of a test."""
    known = dict(registry._actors)
    yield
    registry._actors.clear()
    registry._actors.update(known)
    for alias in ("default", "bad"):
        brokers.forget(alias)


def ids(messages: Sequence[CheckMessage]) -> list[str]:
    return [message.id.removeprefix("switchyard.") for message in messages]


def with_bad(settings: Any, **config: Any) -> None:
    settings.BROKERS = {"default": {"BACKEND": INPROCESS}, "bad": config}


def test_project_of_the_tests_is_fine() -> None:
    assert run_checks(tags=[checks.TAG]) == []


def test_bad_schedule_is_an_error(settings: Any) -> None:
    settings.SCHEDULES = {
        "nightly": {"actor": "test.nowhere", "trigger": every(days=1)}
    }
    (message,) = checks.check_schedules()
    assert ids([message]) == ["E005"]
    assert "SCHEDULES['nightly']" in message.msg


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"BACKEND": "backends.nowhere.Backend"}, "BROKERS['bad']: BACKEND"),
        ({"BACKEND": INPROCESS, "OPTIONS": {"speed": 9}}, "BROKERS['bad']: OPTIONS"),
        ({"BACKEND": INPROCESS, "COLOUR": "red"}, "BROKERS['bad']: COLOUR"),
        (
            {"BACKEND": INPROCESS, "BROKER_URL": "redis://"},
            "BROKERS['bad']: BROKER_URL: is not a key; did you mean URL?",
        ),
        ({"BACKEND": INPROCESS, "EVENTS": "out"}, "BROKERS['bad']: EVENTS"),
        ({"BACKEND": INPROCESS, "MIDDLEWARE": ["a.b"]}, "BROKERS['bad']: MIDDLEWARE"),
        (
            {"BACKEND": INPROCESS, "ROUTES": {"*": {"to": "x"}}},
            "BROKERS['bad']: ROUTES",
        ),
        ({"BACKEND": INPROCESS, "TIMING": {"lease": 1}}, "BROKERS['bad']: TIMING"),
        ({"BACKEND": DRAMATIQ, "URL": "http://x"}, "BROKERS['bad']: URL"),
        (
            {"BACKEND": INPROCESS, "ACTOR_OPTIONS": {"durable": False, "atomic": True}},
            "BROKERS['bad']: ACTOR_OPTIONS: durable=False cannot go with atomic",
        ),
    ],
)
def test_alias_that_cannot_be_built_is_an_error(
    settings: Any, config: dict[str, Any], says: str
) -> None:
    with_bad(settings, **config)
    found = checks.check_brokers()
    assert ids(found) == ["E002"]
    assert found[0].msg.startswith(says)


def test_missing_default_is_an_error(settings: Any) -> None:
    settings.BROKERS = {"bad": {"BACKEND": INPROCESS}}
    assert ids(checks.check_brokers()) == ["E001"]
    assert "E004" not in ids(checks.check_actors())  # of each actor that names none


class Broken(InProcessBackend):
    """A backend with a fault of its own."""

    def __init__(self, alias: str, url: str, receiver: Any) -> None:
        super().__init__(alias, url, receiver)
        self.channel = len(None)  # type: ignore[arg-type]  # the fault


def test_fault_of_a_backend_does_not_read_as_wrong_options(settings: Any) -> None:
    with_bad(settings, BACKEND=f"{__name__}.Broken")
    with pytest.raises(TypeError, match="NoneType"):
        brokers["bad"]


def test_database_that_core_cannot_speak_to_is_an_error(settings: Any) -> None:
    settings.DATABASES = {**settings.DATABASES, "x": {"ENGINE": "some.mysql"}}
    with_bad(settings, BACKEND=INPROCESS, DATABASE="x")
    assert ids(checks.check_brokers()) == ["E003"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "BROKERS is missing"),
        ("redis", "BROKERS is 'redis'; it must be a dict"),
        ({"default": "redis://"}, "BROKERS['default'] is 'redis://'"),
    ],
)
def test_settings_without_brokers_are_an_error_that_says_what_to_write(
    settings: Any, given: Any, says: str
) -> None:
    settings.BROKERS = given
    if given is None:
        del settings.BROKERS
    (message,) = run_checks(tags=[checks.TAG], include_deployment_checks=True)
    assert ids([message]) == ["E007"]
    assert says in message.msg
    assert '"BACKEND": "backends.celery.CeleryBackend"' in str(message.hint)


def test_send_without_brokers_says_what_is_missing(settings: Any) -> None:
    declared = actor(actor_name="test.checks.unset")(lambda: None)
    brokers.forget("default")
    del settings.BROKERS
    with pytest.raises(BrokerConfigError, match="BROKERS is missing"):
        declared.send()


def test_times_without_a_zone_are_an_error(settings: Any) -> None:
    settings.USE_TZ = False
    (message,) = checks.check_brokers()
    assert ids([message]) == ["E006"]


POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"


@pytest.mark.parametrize(
    ("engine", "options", "told"),
    [
        (POSTGRESQL, {}, [("W002", "connect_timeout, keepalives_idle")]),
        (POSTGRESQL, {**DEADLINES, "sslmode": "require"}, []),
        (
            POSTGRESQL,
            {n: v for n, v in DEADLINES.items() if n != "tcp_user_timeout"},
            [("W002", "OPTIONS has no tcp_user_timeout")],
        ),
        (SQLITE, {}, [("W003", "transaction_mode"), ("W004", "journal_mode")]),
        (SQLITE, databases.SQLITE, []),
        (SQLITE, {**databases.SQLITE, "init_command": ""}, [("W004", "journal_mode")]),
    ],
)
def test_database_that_may_keep_everyone_waiting_is_warned_of(
    settings: Any, engine: str, options: Any, told: list[tuple[str, str]]
) -> None:
    settings.DATABASES = {"default": {"ENGINE": engine, "OPTIONS": options}}
    found = checks.check_databases()
    assert ids(found) == [name for name, _ in told]
    for message, (_, words) in zip(found, told, strict=True):
        assert words in message.msg


def test_actor_on_an_alias_that_is_not_there_is_an_error() -> None:
    actor(actor_name="test.check.lost", broker="nowhere")(lambda: None)
    found = checks.check_actors()
    assert ids(found) == ["E004"]
    assert "test_checks.py" in str(found[0].obj)


def test_callback_that_is_not_there_is_a_warning() -> None:
    actor(actor_name="test.check.caller", on_success="test.check.gone")(lambda: None)
    assert ids(checks.check_actors()) == ["W001"]


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
