import pickle
from collections.abc import AsyncIterator, Iterator
from functools import cache, partial, wraps
from typing import Any

import pytest

from core import (
    DuplicateActor,
    InvalidActor,
    InvalidArguments,
    InvalidOption,
    OptionConflict,
    UnknownOption,
    actor,
    brokers,
    pipeline,
)
from core.options.timing import Timing
from core.worker.verdict import backoff


def greet(name: str) -> str:
    """Say hello."""
    return f"hello {name}"


def test_actor_called_directly_runs_here_and_now() -> None:
    assert actor(actor_name="test.greet")(greet)("you") == "hello you"


def test_second_owner_of_a_name_is_refused_with_both_places() -> None:
    actor(actor_name="test.twice")(greet)
    with pytest.raises(DuplicateActor, match=r"test_declaring.py:\d+ and again in"):

        @actor(actor_name="test.twice")
        def other() -> None:
            """Another function."""


def test_wrong_option_is_refused_at_the_declaration() -> None:
    with pytest.raises(UnknownOption, match="Did you mean 'queue_name'"):
        actor(queue="mail")(greet)


def test_name_that_does_not_fit_the_column_is_refused() -> None:
    with pytest.raises(InvalidOption, match="actor_name"):
        actor(actor_name="x" * 201)(greet)


@pytest.mark.parametrize("name", ["", 0, b"mail", "a\0b", "\ud800"])
def test_name_that_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(InvalidOption, match="actor_name"):
        actor(actor_name=name)(greet)  # type: ignore[call-overload]  # the mistake is the point


class Callable:
    """An object that can be called like a function."""

    def __call__(self) -> None:
        """Do nothing."""


def numbers() -> Iterator[int]:
    """Never begin: nobody asks for a number."""
    yield 1


async def more_numbers() -> AsyncIterator[int]:
    """Never begin."""
    yield 1


@pytest.mark.parametrize(
    "given",
    [5, "mail", Callable(), Callable, partial(greet, "you"), len, classmethod(greet)],
)
def test_actor_must_be_a_function(given: object) -> None:
    with pytest.raises(InvalidActor, match="it must be a function written with def"):
        actor(actor_name="test.none")(given)  # type: ignore[arg-type]  # as above


def test_actor_of_an_actor_is_refused() -> None:
    with pytest.raises(InvalidActor, match="give all options to one @actor"):
        actor(actor(actor_name="test.inner")(greet))


@pytest.mark.parametrize("given", [numbers, more_numbers])
def test_generator_is_refused_because_nothing_of_it_would_run(given: object) -> None:
    with pytest.raises(InvalidActor, match=r"numbers .* cannot be an actor: it yields"):
        actor(given)  # type: ignore[call-overload]  # as above


def wrapped(fn: Any) -> Any:
    @wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("given", [numbers, more_numbers])
def test_generator_is_refused_also_inside_a_wrapper(given: object) -> None:
    with pytest.raises(InvalidActor, match="it yields"):
        actor(wrapped(given))


def test_bound_method_and_decorated_function_can_be_actors() -> None:
    assert actor(actor_name="test.bound")(Callable().__call__)() is None
    assert actor(actor_name="test.cached")(cache(greet))("you") == "hello you"


def test_atomic_is_refused_for_async_at_the_declaration_and_at_the_send() -> None:
    async def think() -> None:
        """Do nothing."""

    for fn in (think, wrapped(think), wrapped(wrapped(think))):
        with pytest.raises(OptionConflict, match="async def cannot go with atomic"):
            actor(actor_name="test.atomic", atomic=True)(fn)
    declared = actor(actor_name="test.think")(think)
    with pytest.raises(OptionConflict, match="async def cannot go with atomic"):
        declared.using(atomic=True)


def test_atomic_is_refused_for_async_also_if_the_alias_says_it(settings: Any) -> None:
    @actor(actor_name="test.async_by_alias")
    async def think() -> None:
        """Do nothing."""

    backend = "backends.inprocess.InProcessBackend"
    options = {"atomic": True}
    settings.BROKERS = {"default": {"BACKEND": backend, "ACTOR_OPTIONS": options}}
    brokers.forget("default")
    with pytest.raises(OptionConflict, match="async def cannot go with atomic"):
        think.send()
    brokers.forget("default")


def test_built_message_is_checked_against_the_signature() -> None:
    declared = actor(actor_name="test.checked")(greet)
    with pytest.raises(InvalidArguments, match="too many positional arguments"):
        declared.message("ann", "bob", "eve", "joe")  # type: ignore[call-arg]  # the mistake is the point


@pytest.mark.django_db
def test_missing_argument_is_refused_at_the_send() -> None:
    # Not before: in a pipeline it comes from the step before.
    declared = actor(actor_name="test.missing")(greet)
    message = declared.message()  # type: ignore[call-arg]  # the mistake is the point
    with pytest.raises(InvalidArguments, match="missing a required argument: 'name'"):
        pipeline([message]).run()
    with pytest.raises(InvalidArguments, match="missing a required argument: 'name'"):
        declared.send()  # type: ignore[call-arg]  # the mistake is the point
    both = "missing a required argument: 'name', and got an unexpected keyword .*'nam'"
    with pytest.raises(InvalidArguments, match=both):
        declared.send(nam="ann")  # type: ignore[call-arg]  # the mistake is the point


def test_option_of_the_other_end_is_refused_with_the_place_for_it() -> None:
    declared = actor(actor_name="test.ends")(greet)
    with pytest.raises(UnknownOption, match=r"'concurrency' .*: give it to @actor"):
        declared.using(concurrency=2)
    with pytest.raises(UnknownOption, match=r"'delay' .*: give it to the send"):
        actor(actor_name="test.delayed", delay=5)(greet)


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(UnknownOption("dely", ("delay",))))  # noqa: S301  # our own bytes
    assert str(error) == "Unknown option 'dely'. Did you mean 'delay'?"


def test_backoff_doubles_is_stretched_and_never_exceeds_the_longest() -> None:
    for retries in range(40):
        waits = backoff(retries, shortest=100, longest=60_000)
        assert min(100 * 2**retries, 60_000) <= waits <= 60_000
        assert waits <= 200 * 2**retries


def test_unknown_timing_is_refused_with_the_setting() -> None:
    with pytest.raises(Exception, match=r"BROKERS\['mail'\]: TIMING: .*'leese'"):
        Timing.read("mail", {"leese": 3})


def test_lease_shorter_than_two_heartbeats_is_refused() -> None:
    with pytest.raises(Exception, match="twice the heartbeat"):
        Timing.read("mail", {"lease": 5})
