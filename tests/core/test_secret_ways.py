"""Every way by which a secret argument comes in, is handed on, and might get out."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import (
    InvalidArguments,
    InvalidOption,
    Secret,
    actor,
    current_run,
    group,
    pipeline,
)
from core.models import Attempt, Run
from core.secrets.redaction import hiding, redact

pytestmark = pytest.mark.django_db(transaction=True)
#: However the rest is escaped, this stays.
CORE = "hunter22"
PASSWORD = f"p'ss\"w\\rd {CORE} ü&1"
kept: list[Any] = []


def shows(text: object) -> bool:
    """Say whether the password is in a text, or in what a value is written as."""
    return CORE in str(text)


def rows() -> list[Any]:
    return [row for model in (Run, Attempt) for row in model.objects.values()]


@pytest.fixture(autouse=True)
def logged(caplog: Any, transactional_db: None) -> Iterator[Any]:
    """What is logged, the statements of the database among it."""
    kept.clear()
    for name in ("", "core", "django"):
        caplog.set_level(logging.DEBUG, name)
    with CaptureQueriesContext(connection):
        yield caplog


@actor(actor_name="test.ways.plain")
def plain(password: str) -> None: ...


def test_leak_check_of_these_tests_finds_a_leak(logged: Any) -> None:
    plain.send(PASSWORD)
    assert shows(rows())
    assert shows(logged.text)


Password = Secret[str]


@actor(actor_name="test.ways.annotated")
def annotated(
    a: Secret[str] | None,
    b: "Secret[str] | None",
    c: list[Secret[str]],
    d: Password,
    e: "Password",
    f: "Unheard[Secret[str]]",  # type: ignore[name-defined]  # noqa: F821  # on purpose
) -> None:
    kept.append((a, b, c, d, e, f))


def test_every_way_to_annotate_a_secret_counts(logged: Any) -> None:
    given = [f"{CORE}-{letter}" for letter in "abcdef"]
    message = annotated.send(*given)
    assert not shows(f"{rows()} {message!r} {logged.text}")
    assert kept == [tuple(given)]


@actor(actor_name="test.ways.unreadable")
def unreadable(
    number: "django.db.NotThere",  # type: ignore[name-defined]  # noqa: F821  # on purpose
    order: "number of the order",  # type: ignore[valid-type]  # noqa: F722  # on purpose
    password: Secret[str],
) -> None:
    kept.append((number, order, password))


def test_unreadable_annotation_is_no_secret(
    logged: Any,
) -> None:
    message = unreadable.send(1, "A-1", PASSWORD)
    assert not shows(f"{rows()} {message!r} {logged.text}")
    assert Run.objects.get().args[:2] == [1, "A-1"]
    assert kept == [(1, "A-1", PASSWORD)]


@actor(actor_name="test.ways.collecting")
def collecting(first: str, *many: Secret[str], **named: Secret[str]) -> None:
    kept.append((first, many, named))


def test_any_number_of_secrets_is_kept_secret(logged: Any) -> None:
    message = collecting.send("open", PASSWORD, PASSWORD, x=PASSWORD)
    assert not shows(f"{rows()} {message!r} {logged.text}")
    assert Run.objects.get().args[0] == "open"
    assert kept == [("open", (PASSWORD, PASSWORD), {"x": PASSWORD})]


@actor(actor_name="test.ways.refuse", max_retries=0)
def refuse(user: str, password: Secret[Any]) -> None:
    kept.append((user, password))
    raise PermissionError(f"not with {password}")


@pytest.mark.parametrize("value", [{PASSWORD}, {1: PASSWORD}, [float("nan"), PASSWORD]])
def test_secret_that_is_not_json_is_refused_without_showing_it(value: Any) -> None:
    with pytest.raises(InvalidArguments, match="a secret argument is not JSON") as bad:
        refuse.send("ann", value)
    assert not shows(f"{bad.value!r} {bad.value.__cause__}")
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "given", [{"args": PASSWORD}, {"args": {PASSWORD: 1}}, {"kwargs": [PASSWORD]}]
)
def test_secret_given_the_wrong_way_is_not_shown(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="is of type") as bad:
        refuse.send_with_options(**given)
    assert not shows(f"{bad.value!r} {bad.value.__cause__}")


@actor(actor_name="test.ways.find")
def find(user: str) -> str:
    return PASSWORD


@actor(actor_name="test.ways.greet")
def greet(password: Secret[str], user: str) -> None:
    kept.append((user, password))


def test_value_piped_to_a_secret_parameter_is_a_secret(logged: Any) -> None:
    pipeline([find.message("ann"), refuse.message("ann")]).run()
    assert kept == [("ann", PASSWORD)]
    assert not shows(f"{rows()} {logged.text}")
    assert Attempt.objects.get().error == "PermissionError: not with ***"


def test_results_of_a_group_may_be_handed_on_to_a_secret_parameter() -> None:
    found = group([find.message("ann"), find.message("bob")])
    pipeline([found, refuse.message("both")]).run()
    assert kept == [("both", [PASSWORD, PASSWORD])]
    assert not shows(Run.objects.get(actor_name="test.ways.refuse").piped)


def test_value_piped_beside_a_secret_arrives_unchanged() -> None:
    pipeline([find.message("ann"), greet.message("s3cret")]).run()
    assert kept == [(PASSWORD, "s3cret")]


def test_secret_that_no_encoding_knows_is_left_out_too() -> None:
    with hiding(["\ud800 alone"]):
        assert redact(f"not with {chr(0xD800)} alone, {chr(0xD800)!r}") == (
            r"not with ***, '\ud800'"
        )


def keyed(way: int, password: str) -> str:
    return password


@actor(
    actor_name="test.ways.unique",
    unique_key=keyed,
    concurrency=1,
    concurrency_key=keyed,
)
def unique(way: int, password: Secret[str]) -> None: ...


def test_key_that_is_made_of_a_secret_is_not_shown(logged: Any) -> None:
    later = unique.using(delay=600_000)
    first, again = later.send(0, PASSWORD), later.send(0, PASSWORD)
    assert (again.created, again.message_id) == (False, first.message_id)
    assert later.send(0, "another").created
    assert not shows(f"{rows()} {logged.text}")


def badly_keyed(password: str) -> str:
    return f"{password}\0"


@actor(actor_name="test.ways.unwritable", unique_key=badly_keyed)
def unwritable(password: Secret[str]) -> None: ...


def test_bad_key_is_refused_without_showing_secrets() -> None:
    with pytest.raises(InvalidOption, match="'unique_key'") as bad:
        unwritable.send(PASSWORD)
    assert not shows(f"{bad.value!r} {bad.value}")


@actor(actor_name="test.ways.tell")
def tell(password: Secret[str]) -> None:
    run = current_run()
    assert run is not None
    run.progress(1, 2, f"logging in with {password}\0")
    kept.append(Run.objects.get().progress)
    aside = threading.Thread(target=run.progress, args=(2, 2, f"out with {password}"))
    aside.start()
    aside.join()
    kept.append(Run.objects.get().progress)


def test_progress_shows_no_secret_whichever_thread_tells_it() -> None:
    tell.send(PASSWORD)
    assert kept == [[1, 2, r"logging in with ***\x00"], [2, 2, "out with ***"]]


@actor(actor_name="test.ways.interrupted", max_retries=0)
def interrupted(password: Secret[str]) -> None:
    raise KeyboardInterrupt(password)


def test_ctrl_c_comes_out_without_the_words_of_the_body() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted.send(PASSWORD)
    assert (caught.value.args, caught.value.__context__) == ((), None)
