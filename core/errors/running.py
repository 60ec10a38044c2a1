"""Errors raised in, or by, a running task."""

from core.errors.root import CoreError


class NotDurable(CoreError):
    """A message without a row (durable=False) was used for something that needs one."""

    def __init__(self, message_id: str, wanted: str) -> None:
        super().__init__(message_id, wanted)
        self.message_id = message_id
        self.wanted = wanted

    def __str__(self) -> str:
        return f"Message {self.message_id} is durable=False: no row for {self.wanted}."


class InsideTransaction(CoreError):
    """An effect was performed inside a transaction."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"Effect {self.name!r} is inside a transaction: a rollback would forget"
            " that it was begun. Perform it before the atomic block; an actor that is"
            " atomic=True as a whole cannot have one."
        )


class EffectUnknown(CoreError):
    """The outcome of an effect is unknown, and its actor has on_unknown="ask"."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key = key
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"Effect {self.key!r} may have happened ({self.reason}). Find out, say so"
            " in the admin under Effects or with control.answer, and requeue the run."
        )


class InvalidResult(CoreError, TypeError):
    """An actor whose result is needed returned a value that is not JSON.

    Or a generator: nothing of it has run. Not retried: it would return that again.
    """

    def __init__(self, actor_name: str, problem: str) -> None:
        super().__init__(actor_name, problem)
        self.actor_name = actor_name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.actor_name} returned what cannot be kept: {self.problem}."


class CallbackRefused(CoreError):
    """A callback cannot be sent."""

    def __init__(self, actor_name: str, problem: str) -> None:
        super().__init__(actor_name, problem)
        self.actor_name = actor_name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.actor_name} cannot be sent: {self.problem}"


class SkipMessage(CoreError):
    """Raise in a middleware's before_process_message: do not run this one."""


class Retry(CoreError):
    """Raise in an actor: run again, after at least `delay` (timedelta or ms)."""

    def __init__(self, message: str = "", delay: object = None) -> None:
        super().__init__(message, delay)
        self.message = message
        self.delay = delay

    def __str__(self) -> str:
        delay = "" if self.delay is None else f"delay={self.delay}"
        return ", ".join(filter(None, (self.message, delay)))


class EffectBusy(Retry):
    """Another run performs this effect right now."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Another run performs effect {key!r}.", 1000)
        self.args = (key,)

    def __str__(self) -> str:
        return self.message


class Interrupt(BaseException):
    """Raised from outside in a running actor; not an `Exception` on purpose."""


class TimeLimitExceeded(Interrupt):
    """The body ran longer than its time_limit."""


class Shutdown(Interrupt):
    """The worker is stopping, and the actor has notify_shutdown=True."""


class Cancelled(Interrupt):
    """The run was cancelled while it was running."""


class LeaseLost(Interrupt):
    """This process has lost the run: another one may have it."""


class NotDelivered(CoreError):
    """A receiver of alerts did not accept a message."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem
