"""Errors of declarations and settings."""

from difflib import get_close_matches

from core.errors.root import CoreError


class BrokerConfigError(CoreError):
    """A broker alias is configured wrongly; `setting` is "" for the alias itself."""

    def __init__(self, alias: str, setting: str, problem: str) -> None:
        super().__init__(alias, setting, problem)
        self.alias = alias
        self.setting = setting
        self.problem = problem

    def __str__(self) -> str:
        where = f"{self.setting}: " if self.setting else ""
        return f"BROKERS[{self.alias!r}]: {where}{self.problem}"


class AlertConfigError(CoreError, ValueError):
    """A rule or receiver of alerts is invalid; `where` is the setting or the row."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(where, problem)
        self.where = where
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}."


class ScheduleConfigError(CoreError, ValueError):
    """An entry of SCHEDULES is invalid."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"SCHEDULES[{self.name!r}]: {self.problem}"


class UnknownOption(CoreError, TypeError):
    """An actor, a message or a broker alias has an unknown option."""

    def __init__(
        self, name: str, known: tuple[str, ...] = (), where_to: str = ""
    ) -> None:
        super().__init__(name, known, where_to)
        self.name = name
        self.known = known
        #: Where it may be given instead.
        self.where_to = where_to

    def __str__(self) -> str:
        if self.where_to:
            return (
                f"Option {self.name!r} is not known here: give it to {self.where_to}."
            )
        close = get_close_matches(self.name, self.known, n=1)
        named = _CELERYS.get(self.name) or (close[0] if close else "")
        hint = f" Did you mean {named!r}?" if named else ""
        return f"Unknown option {self.name!r}.{hint}"


#: What Celery calls an option of ours.
_CELERYS = {
    "countdown": "delay",
    "expires": "max_age",
    "queue": "queue_name",
    "soft_time_limit": "time_limit",
    "default_retry_delay": "min_backoff",
    "task_id": "idempotency_key",
}


class InvalidOption(CoreError, ValueError):
    """An option has an invalid value."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        super().__init__(name, value, expected)
        self.name = name
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"Option {self.name!r} is {self.value!r}; it must be {self.expected}."


class OptionConflict(CoreError, ValueError):
    """Two options cannot be combined."""

    def __init__(self, first: str, second: str, why: str) -> None:
        super().__init__(first, second, why)
        self.first = first
        self.second = second
        self.why = why

    def __str__(self) -> str:
        return f"{self.first} cannot go with {self.second}: {self.why}. Leave one out."


class InvalidActor(CoreError, TypeError):
    """A function cannot be an actor."""

    def __init__(self, given: str, problem: str) -> None:
        super().__init__(given, problem)
        self.given = given
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.given} cannot be an actor: {self.problem}."


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


class InvalidTrigger(CoreError, ValueError):
    """A trigger is invalid; `position` is a character's number from 1, or 0."""

    def __init__(self, written: str, problem: str, position: int = 0) -> None:
        super().__init__(written, problem, position)
        self.written = written
        self.problem = problem
        self.position = position

    def __str__(self) -> str:
        where = f", character {self.position}" if self.position else ""
        written = self.written if len(self.written) < 100 else self.written[:97] + "..."
        return f"{written!r}{where}: {self.problem}."
