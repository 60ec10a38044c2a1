"""Which functions can be actors, and under which options."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.errors import InvalidActor, InvalidArguments, InvalidOption, OptionConflict
from core.options import Options


def check_function(fn: object) -> None:
    """Raise `InvalidActor` unless a worker can call it, and sees its end."""
    if hasattr(fn, "actor_name"):
        problem = "it is one already; give all options to one @actor"
        raise InvalidActor(repr(fn), problem)
    # Not what is made of a function (partial) or can be called like one (a class):
    # it has no name and no place of its own.
    is_written = callable(fn) and hasattr(fn, "__qualname__")
    if not is_written or not hasattr(inspect.unwrap(fn), "__code__"):  # type: ignore[arg-type]  # it is callable here
        raise InvalidActor(repr(fn), "it must be a function written with def")
    written = inspect.unwrap(fn)  # type: ignore[arg-type]  # as above
    if inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written):
        raise InvalidActor(repr(fn), "it yields: nothing of it would ever run")


def check_call(actor_name: str, args: object, kwargs: object) -> None:
    """Raise `InvalidArguments` unless they can be spread into a call as they are."""
    # A string would be spread into its letters, a dict into its keys. Only its kind is
    # told: it may have been meant as a secret.
    if not isinstance(args, list | tuple):
        problem = f"args is of type {type(args).__name__}, not a list or a tuple"
        raise InvalidArguments(actor_name, problem)
    if not (kwargs is None or isinstance(kwargs, Mapping)):
        problem = f"kwargs is of type {type(kwargs).__name__}, not a dict"
        raise InvalidArguments(actor_name, problem)


def check_fit(
    actor_name: str,
    binds: Sequence[Callable[..., object]],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """Raise `InvalidArguments` if the first refuses them, with what each one says."""
    problems = []
    for bind in binds:
        try:
            bind(*args, **kwargs)
        except TypeError as error:
            problems.append(str(error))
        else:
            break
    if problems:
        problem = ", and ".join(dict.fromkeys(problems))
        raise InvalidArguments(actor_name, problem)


def check_options(fn: Callable[..., Any], options: Options) -> None:
    """Raise `OptionConflict` or `InvalidOption` unless they suit the function."""
    options.check_conflicts()
    if options.atomic and inspect.iscoroutinefunction(inspect.unwrap(fn)):
        raise OptionConflict("async def", "atomic", "a transaction has one thread")
    if options.subscribe and not _takes_one(fn):
        raise InvalidOption(
            "subscribe", options.subscribe, "on a function that takes the event"
        )


def _takes_one(fn: Callable[..., Any]) -> bool:
    try:
        inspect.signature(fn).bind({})
    except TypeError:
        return False
    return True
