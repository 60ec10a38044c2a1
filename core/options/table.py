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
    queue_name: str = option("default", "The queue's name.", values.queue_name)
    priority: int = option(0, "-100 to 100; smaller is more urgent.", values.priority)
    max_retries: int | None = option(
        20, "Retries after the first attempt; None: no limit.", values.retries
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
        None, "A run that is older than this when it starts is dead.", values.age
    )
    time_limit: int | None = option(
        600_000, "TimeLimitExceeded is raised after this; None: never.", values.limit
    )
    store_results: bool = option(False, "Store the return value.", values.flag)
    result_ttl: int = option(600_000, "How long the result is kept.", values.duration)
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
        False, "Shutdown is raised in the task when the worker stops.", values.flag
    )
    pipe_ignore: bool = option(
        False, "Do not append the previous step's result.", values.flag
    )
    durable: bool = option(
        True, "Written as a row; False: only kept by the broker.", values.flag
    )
    atomic: bool = option(
        False, "Run in one transaction with its success: one effect.", values.flag
    )
    unique_key: Callable[..., str] | str | None = option(
        None, "f(*args, **kwargs): one waiting run per actor and key.", values.key
    )
    unique_until: str = option(
        "start", '"end": a running one counts too.', values.until
    )
    concurrency: int | None = option(
        None, "Most runs at once, over all workers.", values.count, "actor"
    )
    concurrency_key: Callable[..., str] | str | None = option(
        None, "f(*args, **kwargs): a limit for each key.", values.key
    )
    rate_limit: str | None = option(
        None, 'Such as "100/m", over all workers.', values.rate, "actor"
    )
    max_pending: int | None = option(
        None,
        "A send is refused while about this many runs of its queue wait.",
        values.count,
        "actor",
    )
    overflow_queue: str | None = option(
        None,
        "The queue that takes them instead of a refusal.",
        values.optional_queue,
        "actor",
    )
    subscribe: tuple[str, ...] = option(
        (),
        "Topics of the events sent to it, such as order.*.",
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
    delay: int = option(0, "Earliest start from now.", values.duration, "send")
    eta: int | None = option(
        None, "Earliest start in ms since 1970.", values.instant, "send"
    )
    trace: Mapping[str, str] | None = option(
        None, "Its trace, as W3C headers.", values.headers, "send"
    )

    @classmethod
    def check(
        cls, where: str, given: Mapping[str, Any], extra: Collection[str] = ()
    ) -> dict[str, Any]:
        """Return `given` with every value checked and normalised.

        `extra` names the options of middleware; core does not check their values.

        Raises:
            UnknownOption: it is not an option of `where` ("actor" or "send").
            InvalidOption: its value is not of the right type.
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

        Options in `extra` are left out. Raises `UnknownOption` for any other name, such
        as an option stored by a newer release.
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
        """Return the options of core, without those of middleware."""
        return {name: value for name, value in given.items() if name in NAMES}

    def check_conflicts(self) -> None:
        """Raise `OptionConflict` if two options cannot be combined."""
        if self.overflow_queue and self.max_pending is None:
            problem = "without a bound nothing ever goes there"
            raise OptionConflict("overflow_queue", "no max_pending", problem)
        if self.durable:
            return
        for name in NEED_A_ROW:
            if getattr(self, name):
                raise OptionConflict("durable=False", name, "it needs a row")


#: The options of core; any others belong to middleware.
NAMES = frozenset(f.name for f in fields(Options))
#: For "actor" and for "send": the options allowed there, with their checks.
CHECKS: Mapping[str, Mapping[str, Check]] = {
    where: {
        f.name: f.metadata["check"]
        for f in fields(Options)
        if where in f.metadata["where"].split()
    }
    for where in ("actor", "send")
}
#: The other place, named in the error for an option given in the wrong one.
PLACES: Mapping[str, str] = {"actor": "the send", "send": "@actor"}
