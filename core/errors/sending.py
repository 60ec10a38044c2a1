"""Errors of sending messages and of looking up runs."""

from collections.abc import Iterable

from core.errors.root import CoreError


class InvalidArguments(CoreError, TypeError):
    """Arguments do not fit the actor's signature, or are not JSON."""

    def __init__(self, actor_name: str, problem: str) -> None:
        super().__init__(actor_name, problem)
        self.actor_name = actor_name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.problem}. Nothing was enqueued."


class NoMessage(CoreError, TypeError):
    """A value is not a message that can be sent here."""

    def __init__(self, given: str, expected: str) -> None:
        super().__init__(given, expected)
        self.given = given
        self.expected = expected

    def __str__(self) -> str:
        return (
            f"{self.given} is not {self.expected}. Build one with actor.message(...)."
        )


class SentTwice(CoreError, ValueError):
    """A message was sent before, or is in the same send twice."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return (
            f"{self.message} is sent a second time. A message is one call: build"
            " another one with actor.message(...)."
        )


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


class UnknownRun(CoreError, LookupError):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"There is no run with the id {self.run_id!r}."


class UnknownSchedule(CoreError, LookupError):
    """No schedule has this name; `close` are similar names."""

    def __init__(self, name: str, close: tuple[str, ...] = ()) -> None:
        super().__init__(name, close)
        self.name = name
        self.close = close

    def __str__(self) -> str:
        *some, last = map(repr, self.close) if self.close else ("",)
        either = f"{', '.join(some)} or {last}" if some else last
        hint = f" Did you mean {either}?" if last else ""
        return f"There is no schedule named {self.name!r}.{hint}"


class UnknownQueue(CoreError, LookupError):
    """No alias has this queue; `known` are the existing names."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        self.known = list(known)
        super().__init__(name, self.known)

    def __str__(self) -> str:
        return (
            f"There is no queue named {self.name!r}; there are:"
            f" {', '.join(self.known) or 'none'}."
        )


class InvalidFilter(CoreError, ValueError):
    """A filter of runs has an invalid value."""

    def __init__(self, name: str, value: object, hint: str) -> None:
        super().__init__(name, value, hint)
        self.name = name
        self.value = value
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}: {self.hint}."


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


class QueueFull(CoreError):
    """As many runs of a queue wait as the actor's `max_pending` allows."""

    def __init__(self, actor_name: str, alias: str, queue: str, most: int) -> None:
        super().__init__(actor_name, alias, queue, most)
        self.actor_name = actor_name
        self.alias = alias
        self.queue = queue
        self.most = most

    def __str__(self) -> str:
        return (
            f"{self.actor_name}: about {self.most} runs of the queue {self.queue!r} of"
            f" {self.alias!r} wait, which is its max_pending. Nothing was enqueued:"
            " send it later, start more workers, or give it an overflow_queue."
        )


class BrokerUnavailable(CoreError):
    """The broker did not confirm in time. What was published may have arrived."""

    def __init__(self, alias: str, problem: str, url: str = "") -> None:
        super().__init__(alias, problem, url)
        self.alias = alias
        self.problem = problem
        #: Without its password; "" where it is not known.
        self.url = url

    def __str__(self) -> str:
        at = f" at {self.url}" if self.url else ""
        return f"Broker {self.alias!r}{at} is not available: {self.problem}"


class BadMessage(CoreError):
    """A body from the broker that does not decode or verify; it gets parked."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class ResultError(CoreError):
    """A result that cannot be had."""


class ResultMissing(ResultError):
    """There is no result: not yet, not any more, or it was never kept."""


class ResultTimeout(ResultError):
    """The result did not come in time. `manage.py tasks explain ID` tells why."""


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
