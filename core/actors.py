"""Declaring actors: what user code touches first."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

from core.errors import InvalidArguments, InvalidOption
from core.handler import brokers
from core.messages import Message
from core.options import MAX_NAME, Options
from core.registry import registry

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

    @property
    def source(self) -> str:
        """Where it is declared, as file:line."""
        code = inspect.unwrap(self.fn).__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    def send(self, *args: P.args, **kwargs: P.kwargs) -> Message:
        """Enqueue a call, in the caller's transaction."""
        return self.send_with_options(args=args, kwargs=kwargs)

    def send_with_options(
        self,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Message:
        """Enqueue a call with options of its own, such as `delay` or `priority`."""
        message = self.message_with_options(args=args, kwargs=kwargs, **options)
        brokers[self._broker(message.options)].enqueue([message])
        return message

    def message(self, *args: P.args, **kwargs: P.kwargs) -> Message:
        """Build a call without enqueueing it."""
        return self.message_with_options(args=args, kwargs=kwargs)

    def message_with_options(
        self,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Message:
        """Build a call with options of its own without enqueueing it.

        Raises:
            InvalidArguments: they do not fit the function's signature.
            UnknownOption, InvalidOption: an option of the send is wrong.
        """
        kwargs = dict(kwargs or {})
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidArguments(self.actor_name, str(error)) from None
        checked = Options.check("send", options)
        broker = brokers[self._broker(checked)]
        queue = Options.resolve(broker.defaults, self.options, checked).queue_name
        return Message(queue, self.actor_name, tuple(args), kwargs, checked)

    def _broker(self, options: Mapping[str, Any]) -> str:
        return Options.resolve(self.options, options).broker


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
        UnknownOption, InvalidOption: an option is wrong.
        DuplicateActor: another function has this name.
    """
    checked = Options.check("actor", options)

    def declare(fn: Callable[P, R]) -> Actor[P, R]:
        name = actor_name or f"{fn.__module__}.{fn.__qualname__}"
        if len(name) > MAX_NAME:
            raise InvalidOption("actor_name", name, f"at most {MAX_NAME} characters")
        declared = Actor(fn, name, checked)
        registry.add(declared)
        return declared

    return declare if fn is None else declare(fn)
