"""Where a message goes when that is not decided by its actor alone.

BROKERS[alias]["ROUTES"] maps an actor's name, or a pattern as "shop.*", to a route; the
first that matches counts. A route is a dict of `queue_name` and `priority`, either or
both; or a function `f(message, load)` that returns one, or None; or `by_load(...)`. A
function may be given by its path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from core.errors import InvalidOption, UnknownOption
from core.options import Options
from core.wire.envelope import Envelope

Change = Mapping[str, Any]
#: The options that a route may change.
KEYS = ("queue_name", "priority")


class Load(Protocol):
    """How busy things are, at most a second ago."""

    def depth(self, queue_name: str) -> int:
        """Return how many due runs wait in a queue; at most 10,000 are counted."""

    def waiting(self, queue_name: str) -> timedelta:
        """Return for how long the oldest of them has waited."""

    def system(self) -> float:
        """Return this machine's load average of a minute, per processor."""


Route = Change | Callable[[Envelope, Load], Change | None]


def check(change: Any) -> dict[str, Any]:
    """Return a change of queue and priority, checked as an actor's options are."""
    if not isinstance(change, Mapping):
        raise InvalidOption("ROUTES", change, "a dict of queue_name and priority")
    for name in change:
        if name not in KEYS:
            raise UnknownOption(str(name), KEYS)
    return Options.check("actor", change)


@dataclass(frozen=True)
class by_load:  # noqa: N801  # written as a call: by_load(depth=100, then=...)
    """A route by load: `then` when any of the bounds is exceeded, else `otherwise`.

    Args:
        depth: so many due runs wait in the message's queue.
        waiting: the oldest of them has waited so long.
        system: this machine's load average of a minute, per processor.
        then: the change of a loaded system, as {"queue_name": "later"} for what can
            wait, or {"priority": -50} for what must not.
        otherwise: the change of any other; none unless given.
    """

    then: Change
    depth: int | None = None
    waiting: timedelta | None = None
    system: float | None = None
    otherwise: Change | None = None

    def __post_init__(self) -> None:
        check(self.then)
        check(self.otherwise or {})
        if self.depth is None and self.waiting is None and self.system is None:
            raise InvalidOption("by_load", None, "given a depth, a waiting or a system")

    @property
    def queues(self) -> list[str]:
        """The queues that it may send to: workers serve them."""
        changes = (self.then, self.otherwise or {})
        return [change["queue_name"] for change in changes if "queue_name" in change]

    def __call__(self, message: Envelope, load: Load) -> Change | None:
        return self.then if self._exceeded(message.queue_name, load) else self.otherwise

    def _exceeded(self, queue: str, load: Load) -> bool:
        return (
            (self.depth is not None and load.depth(queue) > self.depth)
            or (self.waiting is not None and load.waiting(queue) > self.waiting)
            or (self.system is not None and load.system() > self.system)
        )
