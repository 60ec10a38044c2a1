"""Actors to look at, and the ways to have them end."""

from datetime import timedelta

from core import actor, runs
from core.testing import advance_time

ALIAS = "default"


@actor(actor_name="test.monitoring.works", max_retries=0)
def works(pause: float = 0.0) -> None:
    """Do nothing, well."""


@actor(actor_name="test.monitoring.breaks", queue_name="brittle", max_retries=0)
def breaks(word: str = "cold") -> None:
    """Fail at once."""
    raise RuntimeError(f"the boiler is {word}")


@actor(
    actor_name="test.monitoring.tries",
    queue_name="brittle",
    max_retries=1,
    min_backoff=0,
)
def tries() -> None:
    """Fail, and fail again."""
    raise KeyError("gone")


def roll_up(passed: timedelta = timedelta(minutes=2)) -> None:
    """Let time pass, and count all that ended meanwhile."""
    advance_time(passed)
    while runs.roll_up("default", ALIAS):
        pass
