"""The actors of the promises; they run in worker processes."""

from datetime import timedelta

from core import Retry, actor, current_run
from tests.conformance import (  # noqa: F401  # Django finds actors in `tasks` alone
    composed_tasks,
    event_tasks,
    interrupted_tasks,
    limited_tasks,
    outside_tasks,
    routed_tasks,
    secret_tasks,
)
from tests.conformance.bodies import effect, wait_for_gate
from tests.conformance.models import Gate


@actor
def note(key: str) -> None:
    """Leave one effect. Run twice it leaves two."""
    effect(key)


@actor(atomic=True)
def note_once(key: str) -> None:
    """Leave exactly one effect, however often it is delivered."""
    effect(key)


@actor(queue_name="other")
def note_elsewhere(key: str) -> None:
    """Leave one effect from another queue."""
    effect(key)


@actor(min_backoff=timedelta(milliseconds=100), max_backoff=200)
def fail_twice(key: str) -> None:
    """Leave an effect at every attempt; succeed at the third."""
    effect(key)
    if current_run().attempt < 3:
        raise ValueError(f"attempt {current_run().attempt} of {key}")


@actor(max_retries=1, min_backoff=0)
def fail_until_opened(key: str) -> None:
    """Fail until the gate is open."""
    effect(key)
    if not Gate.objects.filter(key=key).exists():
        raise ValueError("the gate is closed")


@actor(throws=ZeroDivisionError)
def divide_by_zero(key: str) -> None:
    """Fail in a way that no retry mends."""
    effect(key)
    1 / 0  # noqa: B018  # raises, which is what it is for


@actor(max_retries=1, min_backoff=timedelta(seconds=3), max_backoff=3000)
def fail_then_wait(key: str) -> None:
    """Fail once and wait three seconds; a stale copy must not shorten that."""
    effect(key)
    if current_run().attempt == 1:
        raise ValueError("the first attempt")


@actor(min_backoff=0)
def ask_for_a_pause(key: str) -> None:
    """Ask to be retried after a second."""
    effect(key)
    if current_run().attempt == 1:
        raise Retry("not yet", delay=timedelta(seconds=1))


@actor
def hold(key: str) -> None:
    """Say that it started, wait for its gate, then write once with its success."""
    effect(f"{key}/started")
    wait_for_gate(key)
    with current_run().atomic():
        effect(key)


_kept: list[bytes] = []


@actor
def grow(megabytes: int) -> None:
    """Take memory and never give it back."""
    _kept.append(b"x" * (megabytes * 1024 * 1024))


@actor(max_retries=0)
def exit_half_way(key: str) -> None:
    """Write in the atomic block and fail before it ends."""
    with current_run().atomic():
        effect(key)
        raise ValueError("half way")
