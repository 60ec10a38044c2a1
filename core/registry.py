"""Names: every declared actor of this process, by its name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from core.errors import DuplicateActor, UnknownActor
from core.secrets.values import Given, stars


class Declared(Protocol):
    """An actor as the registry, the relay and the worker know it."""

    actor_name: str
    options: Mapping[str, Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    @property
    def fn(self) -> Callable[..., Any]: ...

    @property
    def secrets(self) -> frozenset[str]: ...

    def message(self, *args: Any, **kwargs: Any) -> Any: ...

    def message_with_options(
        self,
        *,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any: ...

    def check_arguments(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None: ...

    @property
    def source(self) -> str: ...


class Registry:
    """A mapping of actor names that refuses a second owner of a name."""

    def __init__(self) -> None:
        self._actors: dict[str, Declared] = {}

    def add(self, actor: Declared) -> None:
        """Remember an actor. The same function may come again (a module reloaded)."""
        known = self._actors.get(actor.actor_name)
        if known is not None and known.source != actor.source:
            raise DuplicateActor(actor.actor_name, known.source, actor.source)
        self._actors[actor.actor_name] = actor

    def get(self, name: str) -> Declared:
        """Return the actor of this name, or raise `UnknownActor`."""
        try:
            return self._actors[name]
        except KeyError:
            raise UnknownActor(name) from None

    def __contains__(self, name: str) -> bool:
        return name in self._actors

    def __len__(self) -> int:
        return len(self._actors)

    def __iter__(self) -> Iterator[Declared]:
        return iter(tuple(self._actors.values()))

    def shown(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Given:
        """Return arguments as a log or a page may show them."""
        if name not in self:
            return tuple(args), dict(kwargs)
        actor = self.get(name)
        return stars(actor.fn, actor.secrets, args, kwargs)


registry = Registry()
