"""Declaring actors: what user code touches first."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar, overload

from asgiref.sync import sync_to_async
from django.db import transaction

from core.broker.handler import brokers
from core.databases.locks import keep_asking
from core.errors import NoMessage
from core.interface.messages import Message, sent
from core.options import NAMES, Options, text
from core.options.functions import check_call, check_fit, check_function, check_options
from core.registry import registry
from core.secrets.values import names_of

P = ParamSpec("P")
R = TypeVar("R")


class Actor(Generic[P, R]):
    """A declared function: call it to run it here, `send` it to run it in a worker."""

    def __init__(
        self, fn: Callable[P, R], actor_name: str, options: Mapping[str, Any]
    ) -> None:
        self.fn = fn
        self.actor_name = actor_name
        self.options = options
        self.__doc__ = fn.__doc__
        self.__name__ = fn.__name__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn
        self._signature = inspect.signature(fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run here and now, plainly."""
        return self.fn(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Actor({self.actor_name!r})"

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The parameters annotated `Secret[...]`."""
        return names_of(self.fn)

    @property
    def source(self) -> str:
        """Where it is declared, as file:line."""
        code = inspect.unwrap(self.fn).__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    def send(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Enqueue a call, in the caller's transaction."""
        return self._send(args, kwargs, {})

    async def asend(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Enqueue a call from async code.

        It commits in a transaction of its own: Django's transactions do not span
        `await`. To send within one, use `send` inside `sync_to_async`.
        """
        return await sync_to_async(self.send)(*args, **kwargs)

    def using(self, **options: Any) -> "Using[P, R]":
        """Return this actor with options of the send, to be sent typed.

        Raises `UnknownOption`, `InvalidOption`, `OptionConflict`.
        """
        return Using(self, self._check(options))

    def send_with_options(
        self,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Message[R]:
        """Enqueue a call with options of its own, such as `delay` or `priority`."""
        check_call(self.actor_name, args, kwargs)
        return self._send(args, kwargs or {}, self._check(options))

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Build a call without enqueueing it; the last argument may be missing.

        In a pipeline it is the result of the step before.
        """
        return self._build(args, kwargs, {})

    def message_with_options(
        self,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Message[R]:
        """Build a call with options of its own without enqueueing it.

        Raises:
            InvalidArguments: they do not fit the function's signature.
            UnknownOption, InvalidOption, OptionConflict: an option is wrong.
        """
        check_call(self.actor_name, args, kwargs)
        return self._build(args, kwargs or {}, self._check(options))

    def _check(self, options: Mapping[str, Any]) -> dict[str, Any]:
        if not options:
            return {}
        extra = brokers.extra_options() if options.keys() - NAMES else ()
        checked = Options.check("send", options, extra)
        declared = Options.own(self.options)
        check_options(self.fn, Options.resolve(declared, checked, extra=extra))
        return checked

    def _build(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], options: dict[str, Any]
    ) -> Message[R]:
        # A step of a pipeline gets the rest from the one before it.
        check_fit(self.actor_name, [self._signature.bind_partial], args, kwargs)
        broker = brokers.carrier(self.actor_name, options)
        return self._message(broker.queue_of(self), args, kwargs, options)

    def check_arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise `InvalidArguments` unless they are what the function takes."""
        # Both are told, what is missing and what is unexpected: it may be misspelt.
        binds = [self._signature.bind, self._signature.bind_partial]
        check_fit(self.actor_name, binds, args, kwargs)

    def _send(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], options: dict[str, Any]
    ) -> Message[R]:
        broker = brokers.carrier(self.actor_name, options)
        message = self._message(broker.queue_of(self), args, kwargs, options)
        return sent(message, broker.enqueue([message])[0])

    def _message(
        self, queue: str, args: Sequence[Any], kwargs: Mapping[str, Any], given: Any
    ) -> Message[R]:
        queue = given.get("queue_name", queue)
        return Message(queue, self.actor_name, tuple(args), dict(kwargs), given)


class Using(Generic[P, R]):
    """An actor with options of the send; made by `Actor.using`."""

    def __init__(self, actor: Actor[P, R], options: dict[str, Any]) -> None:
        self._actor = actor
        self._options = options

    def send(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Enqueue a call with these options, in the caller's transaction."""
        return self._actor._send(args, kwargs, self._options)

    async def asend(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Enqueue a call from async code, in a transaction of its own."""
        return await sync_to_async(self.send)(*args, **kwargs)

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message[R]:
        """Build a call with these options without enqueueing it."""
        return self._actor._build(args, kwargs, self._options)


def send_many(messages: Iterable[Message[Any]]) -> list[Message[Any]]:
    """Enqueue any number of messages in one transaction and few round trips.

    Returns them as they were taken in; see `Message.created`. Raises what `send` does.
    """
    given = list(messages)
    by_alias: dict[str, list[int]] = defaultdict(list)
    for index, message in enumerate(given):
        if not isinstance(message, Message):
            raise NoMessage(repr(message), "a message")
        alias = brokers.carrier(message.actor_name, message.options).alias
        by_alias[alias].append(index)
    for alias in by_alias:
        # Before we open a transaction: it is the caller's that counts.
        brokers[alias].outbox.check_transaction()
    with ExitStack() as stack:
        for database in sorted({brokers[alias].database for alias in by_alias}):
            stack.enter_context(keep_asking(database))
            stack.enter_context(transaction.atomic(using=database))
        for alias, indexes in by_alias.items():
            ids = brokers[alias].enqueue([given[index] for index in indexes])
            for index, run_id in zip(indexes, ids, strict=True):
                given[index] = sent(given[index], run_id)
    return given


@overload
def actor(fn: Callable[P, R], /) -> Actor[P, R]: ...


@overload
def actor(
    *, actor_name: str | None = None, **options: Any
) -> Callable[[Callable[P, R]], Actor[P, R]]: ...


def actor(
    fn: Callable[P, R] | None = None,
    /,
    *,
    actor_name: str | None = None,
    **options: Any,
) -> Actor[P, R] | Callable[[Callable[P, R]], Actor[P, R]]:
    """Declare a function as an actor, bare or with options.

    Touches no broker and no database. `actor_name` is the function's module path
    unless given. The options are those of `core.options.Options`.

    Raises:
        UnknownOption, InvalidOption, OptionConflict: an option is wrong.
        InvalidActor: it is no function, or it yields.
        DuplicateActor: another function has this name.
    """
    extra = brokers.extra_options() if options.keys() - NAMES else ()
    checked = Options.check("actor", options, extra)
    resolved = Options.resolve(checked, extra=extra)
    resolved.check_conflicts()
    name = text("actor_name", actor_name)

    def declare(fn: Callable[P, R]) -> Actor[P, R]:
        return _declared(fn, name, checked, resolved)

    return declare if fn is None else declare(fn)


def _declared(
    fn: Callable[P, R], name: str | None, given: Mapping[str, Any], resolved: Options
) -> Actor[P, R]:
    """Return a function as an actor that everyone in this process knows."""
    check_function(fn)
    check_options(fn, resolved)
    name = name or text("actor_name", f"{fn.__module__}.{fn.__qualname__}")
    declared = Actor(fn, str(name), given)
    for said in resolved.schedule:
        declared.check_arguments(said.args, said.kwargs)
    registry.add(declared)
    return declared
