"""What `manage.py check` says."""

from typing import Any

import pytest
from django.core.checks import run_checks

from backends.inprocess import InProcessBackend
from core import actor, brokers, checks, every
from core.databases import DEADLINES
from core.errors import BrokerConfigError
from settings import databases
from tests.core.checks.reading import DRAMATIQ, INPROCESS, ids, with_bad


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
    # It is not told again of each actor that names no alias.
    assert not [m for m in checks.check_actors() if "broker='default'" in m.msg]


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
    assert "test_settings.py" in str(found[0].obj)


def test_callback_that_is_not_there_is_a_warning() -> None:
    actor(actor_name="test.check.caller", on_success="test.check.gone")(lambda: None)
    assert ids(checks.check_actors()) == ["W001"]
