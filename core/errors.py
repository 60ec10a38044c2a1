"""Every error that core raises: what is wrong, where, and what to do.

Positional arguments go to `super().__init__`, so that each error pickles.
"""

from difflib import get_close_matches


class CoreError(Exception):
    """The root of everything core raises."""


class BrokerConfigError(CoreError):
    """A broker alias is configured wrongly."""

    def __init__(self, alias: str, setting: str, problem: str) -> None:
        super().__init__(alias, setting, problem)
        self.alias = alias
        self.setting = setting
        self.problem = problem

    def __str__(self) -> str:
        return f"BROKERS[{self.alias!r}]: {self.setting}: {self.problem}"


class UnknownOption(CoreError, TypeError):
    """An actor, a message or a broker alias carries an option nobody declared."""

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(name, known)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        close = get_close_matches(self.name, self.known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"Unknown option {self.name!r}.{hint}"


class InvalidOption(CoreError, ValueError):
    """An option has a value that it cannot have."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(name, value, expected)
        self.name = name
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"Option {self.name!r} is {self.value!r}; it must be {self.expected}."


class OptionConflict(CoreError, ValueError):
    """Two options that cannot go together."""

    def __init__(self, first: str, second: str, why: str) -> None:
        super().__init__(first, second, why)
        self.first = first
        self.second = second
        self.why = why

    def __str__(self) -> str:
        return f"{self.first} cannot go with {self.second}: {self.why}. Leave one out."


class InvalidArguments(CoreError, TypeError):
    """Arguments do not fit the actor's signature, or are not JSON."""

    def __init__(self, actor_name: str, problem: str) -> None:
        super().__init__(actor_name, problem)
        self.actor_name = actor_name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.problem}. Nothing was enqueued."


class PayloadTooLarge(CoreError, ValueError):
    """The arguments of a message are larger than MAX_PAYLOAD."""

    def __init__(self, actor_name: str, size: int, limit: int) -> None:
        super().__init__(actor_name, size, limit)
        self.actor_name = actor_name
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.actor_name}: the arguments take {self.size} bytes, the limit is"
            f" {self.limit}. Store the data and send its id."
        )


class DuplicateActor(CoreError, ValueError):
    """Two functions were declared as the same actor."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(name, first, second)
        self.name = name
        self.first = first
        self.second = second

    def __str__(self) -> str:
        return (
            f"An actor named {self.name!r} is declared in {self.first} and again in"
            f" {self.second}. Give one of them another actor_name."
        )


class UnknownActor(CoreError, LookupError):
    """No actor of this name is declared in this process."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"No actor named {self.name!r} is declared in this process."


class UnknownRun(CoreError, LookupError):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"There is no run with the id {self.run_id!r}."


class WrongDatabase(CoreError):
    """A send inside the transaction of a database that is not the broker's."""

    def __init__(self, broker: str, database: str, other: str) -> None:
        super().__init__(broker, database, other)
        self.broker = broker
        self.database = database
        self.other = other

    def __str__(self) -> str:
        return (
            f"Broker {self.broker!r} keeps its runs in database {self.database!r}, but"
            f" the send is inside a transaction of {self.other!r}, which could roll"
            f" back without it. Send outside it, or open a transaction on"
            f" {self.database!r} as well."
        )


class IdempotencyConflict(CoreError, ValueError):
    """An idempotency key was used before, with other arguments."""

    def __init__(self, actor_name: str, key: str, run_id: str) -> None:
        super().__init__(actor_name, key, run_id)
        self.actor_name = actor_name
        self.key = key
        self.run_id = run_id

    def __str__(self) -> str:
        return (
            f"{self.actor_name}: the idempotency_key {self.key!r} belongs to run"
            f" {self.run_id}, which has other arguments. Give this call its own key."
        )


class BrokerUnavailable(CoreError):
    """The broker did not confirm in time. What was published may have arrived."""

    def __init__(self, alias: str, problem: str) -> None:
        super().__init__(alias, problem)
        self.alias = alias
        self.problem = problem

    def __str__(self) -> str:
        return f"Broker {self.alias!r} is not available: {self.problem}"


class BadMessage(CoreError):
    """A body from the broker that does not decode or verify; it gets parked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class NotDurable(CoreError):
    """What needs a row was asked of a message that has none (durable=False)."""

    def __init__(self, message_id: str, wanted: str) -> None:
        super().__init__(message_id, wanted)
        self.message_id = message_id
        self.wanted = wanted

    def __str__(self) -> str:
        return f"Message {self.message_id} is durable=False: no row for {self.wanted}."


class ResultError(CoreError):
    """A result that cannot be had."""


class ResultMissing(ResultError):
    """There is no result: not yet, not any more, or it was never kept."""


class ResultTimeout(ResultError):
    """The result did not come in time."""


class ResultFailure(ResultError):
    """The run is dead or cancelled: there will be no result.

    `orig_exc_type` and `orig_exc_msg` are of its last failed attempt.
    """

    def __init__(
        self, message: str, orig_exc_type: str = "", orig_exc_msg: str = ""
    ) -> None:
        super().__init__(message, orig_exc_type, orig_exc_msg)
        self.message = message
        self.orig_exc_type = orig_exc_type
        self.orig_exc_msg = orig_exc_msg

    def __str__(self) -> str:
        return self.message


class InvalidResult(CoreError, TypeError):
    """An actor returned what is not JSON, although its result is wanted."""

    def __init__(self, actor_name: str, problem: str) -> None:
        super().__init__(actor_name, problem)
        self.actor_name = actor_name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.actor_name} returned what cannot be kept: {self.problem}."


class SkipMessage(CoreError):
    """Raise in a middleware's before_process_message: do not run this one."""


class Retry(CoreError):
    """Raise in an actor: run again, after at least `delay` (timedelta or ms)."""

    def __init__(self, message: str = "", delay: object = None) -> None:
        super().__init__(message, delay)
        self.message = message
        self.delay = delay

    def __str__(self) -> str:
        return self.message


class Interrupt(BaseException):
    """Raised from outside in a running actor; not an `Exception` on purpose."""


class TimeLimitExceeded(Interrupt):
    """The body ran longer than its time_limit."""


class Shutdown(Interrupt):
    """The worker was told to stop, and the actor asked to know."""


class Cancelled(Interrupt):
    """Someone cancelled the run while it ran."""


class LeaseLost(Interrupt):
    """This process may no longer speak for the run: another one may have it."""
