"""What is raised in, or by, a body that runs."""

from core.errors.root import CoreError


class NotDurable(CoreError):
    """What needs a row was asked of a message that has none (durable=False)."""

    def __init__(self, message_id: str, wanted: str) -> None:
        super().__init__(message_id, wanted)
        self.message_id = message_id
        self.wanted = wanted

    def __str__(self) -> str:
        return f"Message {self.message_id} is durable=False: no row for {self.wanted}."


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
