"""Actors under limits and keys, and actors without a row."""

import os
import time
from datetime import timedelta

from core import actor, current_run
from tests.conformance.bodies import effect, wait_for_gate
from tests.conformance.models import Gate


def in_and_out(key: str, seconds: float = 0.1) -> None:
    """Leave an effect at the start and one at the end."""
    effect(f"{key}/in")
    time.sleep(seconds)  # the work
    effect(f"{key}/out")


def by_key(key: str, *_: object) -> str:
    return key


@actor(concurrency=2, concurrency_key=by_key)
def work_by_twos(key: str) -> None:
    """Work; two of a key at a time."""
    in_and_out(key)


@actor(concurrency=1, concurrency_key=by_key)
def work_by_itself(key: str) -> None:
    """Work; alone of its key."""
    in_and_out(key)


@actor(rate_limit="10/s", concurrency_key=by_key)
def work_at_a_pace(key: str) -> None:
    """Leave an effect; ten a second of a key."""
    effect(key)


@actor(concurrency=1, concurrency_key=by_key)
def hold_the_only_place(key: str) -> None:
    """Wait for the gate in the only place of the key."""
    effect(f"{key}/started")
    wait_for_gate(key)


@actor(
    concurrency=1,
    concurrency_key=by_key,
    min_backoff=timedelta(milliseconds=100),
    max_backoff=timedelta(milliseconds=200),
)
def fail_once_in_the_only_place(key: str) -> None:
    """Leave an effect at every attempt; succeed at the second."""
    effect(key)
    if current_run().attempt == 1:
        raise ValueError("the first attempt")


@actor(concurrency=1, concurrency_key=by_key)
def die_once_in_the_only_place(key: str) -> None:
    """Leave an effect at every attempt; end the process at the first."""
    effect(key)
    if current_run().attempt == 1:
        os._exit(9)


@actor(unique_key=by_key)
def once_at_a_time(key: str, number: int) -> None:
    """Leave an effect; wait for the gate."""
    effect(f"{key}/{number}")
    wait_for_gate(key)


@actor(unique_key=by_key, unique_until="end")
def once_until_its_end(key: str, number: int) -> None:
    """Leave an effect; wait for the gate."""
    effect(f"{key}/{number}")
    wait_for_gate(key)


@actor(durable=False)
def note_directly(key: str) -> None:
    """Leave an effect; has no row."""
    effect(key)


@actor(durable=False, min_backoff=timedelta(milliseconds=100), max_retries=1)
def fail_directly(key: str) -> None:
    """Fail unless the gate is open; has a row from then on."""
    effect(key)
    if not Gate.objects.filter(key=key).exists():
        raise ValueError("the gate is closed")


@actor
def take_a_moment(key: str) -> None:
    """Leave an effect, slowly."""
    effect(key)
    time.sleep(0.05)  # the work
