"""What `manage.py check` says."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from core import actor, brokers, checks
from core.registry import registry

INPROCESS = "backends.inprocess.InProcessBackend"
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


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"BACKEND": "backends.nowhere.Backend"}, "BROKERS['bad']: BACKEND"),
        ({"BACKEND": INPROCESS, "OPTIONS": {"speed": 9}}, "BROKERS['bad']: OPTIONS"),
        ({"BACKEND": INPROCESS, "COLOUR": "red"}, "BROKERS['bad']: COLOUR"),
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


def test_database_that_core_cannot_speak_to_is_an_error(settings: Any) -> None:
    settings.DATABASES = {**settings.DATABASES, "x": {"ENGINE": "some.mysql"}}
    with_bad(settings, BACKEND=INPROCESS, DATABASE="x")
    assert ids(checks.check_brokers()) == ["E003"]


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
            ["W103", "W104", "W101"],
        ),
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
