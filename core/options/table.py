"""The one table of options: name, type, default, unit and meaning, once each."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from core.errors import InvalidOption, OptionConflict, UnknownOption
from core.options import values
from core.triggers import Scheduled

Check = Callable[[str, Any], Any]

#: These need a row from the start; see `OptionConflict`.
NEED_A_ROW = ("atomic", "unique_key", "concurrency", "rate_limit", "max_pending")


def option(default: Any, meaning: str, check: Check, where: str = "actor send") -> Any:
    """Declare an option. `where` says which of `actor` and `send` may give it."""
    return field(
        default=default, metadata={"meaning": meaning, "check": check, "where": where}
    )


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one message, resolved; durations are ints of milliseconds."""

    broker: str = option(
        "default", "The alias in BROKERS that carries it.", values.alias
    )
    queue_name: str = option("default", "A named line.", values.queue_name)
    priority: int = option(0, "-100 to 100; smaller is more urgent.", values.priority)
    max_retries: int | None = option(
        20, "Retries after the first run; None: for ever.", values.retries
    )
    min_backoff: int = option(15_000, "Shortest wait before a retry.", values.duration)
    max_backoff: int = option(604_800_000, "Longest wait before one.", values.duration)
    retry_when: Callable[[int, BaseException], bool] | None = option(
        None, "f(retries, exception): replaces max_retries.", values.predicate, "actor"
    )
    throws: tuple[type[BaseException], ...] = option(
        (), "Exceptions that fail at once, without a retry.", values.exceptions, "actor"
    )
    max_age: int | None = option(
        None, "Older than this when it would start: dead.", values.age
    )
    time_limit: int | None = option(
        600_000, "TimeLimitExceeded is raised after it; None: never.", values.limit
    )
    store_results: bool = option(False, "Keep what it returns.", values.flag)
    result_ttl: int = option(600_000, "Keep it that long.", values.duration)
    on_success: str | None = option(
        None, "Actor sent (message, result) afterwards.", values.actor_name
    )
    on_failure: str | None = option(
        None, "Actor sent (message, error) at every failed attempt.", values.actor_name
    )
    on_retry_exhausted: str | None = option(
        None, "Actor sent (message, counts) when retries run out.", values.actor_name
    )
    notify_shutdown: bool = option(
        False, "Shutdown is raised in it when the worker stops.", values.flag
    )
    pipe_ignore: bool = option(
        False, "Do not append the previous step's result.", values.flag
    )
    durable: bool = option(True, "A row; False: the engine alone.", values.flag)
    atomic: bool = option(
        False, "Settle in the body's own transaction: exactly one effect.", values.flag
    )
    unique_key: Callable[..., str] | str | None = option(
        None, "f(*args, **kwargs): one waiting run per actor and key.", values.key
    )
    unique_until: str = option(
        "start", '"end": the running one counts too.', values.until
    )
    concurrency: int | None = option(
        None, "At most so many runs at once, everywhere.", values.count, "actor"
    )
    concurrency_key: Callable[..., str] | str | None = option(
        None, "f(*args, **kwargs): count apart for each key.", values.key
    )
    rate_limit: str | None = option(
        None, 'As "100/m", everywhere.', values.rate, "actor"
    )
    max_pending: int | None = option(
        None,
        "A send is refused while about so many runs of its queue wait.",
        values.count,
        "actor",
    )
    overflow_queue: str | None = option(
        None,
        "Where they go instead of being refused.",
        values.optional_queue,
        "actor",
    )
    subscribe: tuple[str, ...] = option(
        (),
        "Topics of events, as order.*, that are sent to it.",
        values.patterns,
        "actor",
    )
    schedule: tuple[Scheduled, ...] = option(
        (), "One trigger or several; see schedules.md.", values.schedules, "actor"
    )
    schedulable: bool = option(
        False, "May be scheduled from the admin.", values.flag, "actor"
    )
    idempotency_key: str | None = option(
        None, "The same key gives the same run for 30 days.", values.text, "send"
    )
    delay: int = option(0, "Not before this long from now.", values.duration, "send")
    eta: int | None = option(None, "Not before, ms since 1970.", values.instant, "send")
    trace: Mapping[str, str] | None = option(
        None, "The trace that it is part of, as W3C headers.", values.headers, "send"
    )

    @classmethod
    def check(
        cls, where: str, given: Mapping[str, Any], extra: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return `given` with every value checked and normalised.

        `extra` names what middleware understands; core carries it unread.

        Raises:
            UnknownOption: nobody declared it for `where` ("actor" or "send").
            InvalidOption: its value is not of its kind.
        """
        known = CHECKS[where]
        checked = {}
        for name, value in given.items():
            if name in known:
                checked[name] = known[name](name, value)
            elif name in extra:
                checked[name] = value
            else:
                where_to = PLACES[where] if name in NAMES else ""
                raise UnknownOption(name, (*known, *extra), where_to)
            if where == "send" and callable(checked[name]):
                raise InvalidOption(name, value, "a string: only an actor computes it")
        return checked

    @classmethod
    def resolve(
        cls, *layers: Mapping[str, Any], extra: Collection[str] = ()
    ) -> "Options":
        """Merge checked options; later layers win: broker alias, actor, message.

        What `extra` names is left out. Raises `UnknownOption` for any other name: what
        a newer release has stored, say.
        """
        merged: dict[str, Any] = {}
        for layer in layers:
            merged.update(layer)
        for name in merged.keys() - NAMES:
            if name not in extra:
                raise UnknownOption(name, (*NAMES, *extra))
            del merged[name]
        return cls(**merged)

    @staticmethod
    def own(given: Mapping[str, Any]) -> dict[str, Any]:
        """Return those that are core's: of an actor, the rest is some middleware's."""
        return {name: value for name, value in given.items() if name in NAMES}

    def check_conflicts(self) -> None:
        """Raise `OptionConflict` if two of the options cannot go together."""
        if self.overflow_queue and self.max_pending is None:
            problem = "without a bound nothing ever goes there"
            raise OptionConflict("overflow_queue", "no max_pending", problem)
        if self.durable:
            return
        for name in NEED_A_ROW:
            if getattr(self, name):
                raise OptionConflict("durable=False", name, "it needs a row")


#: What core itself understands; the rest is asked of the middleware.
NAMES = frozenset(f.name for f in fields(Options))
#: The options that may be given where, each with its check.
CHECKS: Mapping[str, Mapping[str, Check]] = {
    where: {
        f.name: f.metadata["check"]
        for f in fields(Options)
        if where in f.metadata["where"].split()
    }
    for where in ("actor", "send")
}
#: Where an option may be given that may not be given here.
PLACES: Mapping[str, str] = {"actor": "the send", "send": "@actor"}
