"""Actors that someone stops, or that stop their process."""

import asyncio
import multiprocessing
import os
import signal
import time
from datetime import timedelta

from core import Cancelled, LeaseLost, Shutdown, TimeLimitExceeded, actor, current_run
from tests.conformance.bodies import effect, wait_for_gate


def linger(seconds: float = 60) -> None:
    """Be busy in Python, where an interrupt arrives."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(0.01)


@actor(time_limit=timedelta(milliseconds=500), max_retries=0)
def overrun(key: str) -> None:
    """Run too long; note that it was told."""
    try:
        linger()
    except TimeLimitExceeded:
        effect(key)
        raise


@actor(time_limit=timedelta(milliseconds=500), max_retries=0)
def overrun_in_spite(key: str) -> None:
    """Run too long; note what is an ordinary failure."""
    try:
        linger()
    except Exception:
        effect(key)


@actor(time_limit=timedelta(milliseconds=500), max_retries=0)
def block(key: str) -> None:
    """Run too long where nobody can interrupt it."""
    effect(key)
    time.sleep(20)


@actor(max_retries=0)
def wait_to_be_cancelled(key: str) -> None:
    """Note the start, and the cancellation."""
    effect(f"{key}/started")
    try:
        linger()
    except Cancelled:
        effect(f"{key}/cancelled")
        raise


@actor(min_backoff=0)
def fail_when_cancelled(key: str) -> None:
    """Note the start; make a failure of the cancellation."""
    effect(f"{key}/started")
    if current_run().attempt == 1:
        try:
            linger()
        except Cancelled as error:
            raise ValueError("failed instead") from error


@actor
def linger_until_replaced(key: str) -> None:
    """Note the start, and that another one has the run now; then be done."""
    effect(f"{key}/started")
    if current_run().attempt == 1:
        try:
            linger()
        except LeaseLost:
            effect(f"{key}/told")
            raise


@actor(notify_shutdown=True, min_backoff=0)
def wait_for_shutdown(key: str) -> None:
    """Note the start and the shutdown; the second time, be done."""
    effect(f"{key}/started")
    if current_run().attempt > 1:
        return
    try:
        linger()
    except Shutdown:
        effect(f"{key}/told")
        raise


@actor
def kill_the_worker(key: str) -> None:
    """End the process that runs it."""
    effect(key)
    os._exit(9)


@actor
def kill_the_worker_once(key: str) -> None:
    """End the process that runs it, the first time."""
    effect(key)
    if current_run().attempt == 1:
        os._exit(9)


@actor(store_results=True)
async def think(key: str) -> str:
    """Return who runs it, after a moment."""
    await asyncio.sleep(0.01)
    return f"{key} by {current_run().id}"


@actor(time_limit=timedelta(milliseconds=500), max_retries=0)
async def think_too_long(key: str) -> None:
    """Clean up when the time is over, and say so."""
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.to_thread(_note, key, current_run().attempt)


def _note(key: str, attempt: int) -> None:
    effect(key)


@actor(store_results=True)
def report_progress(key: str) -> None:
    """Say how far it is, and wait."""
    current_run().progress(3, 10, "a third")
    wait_for_gate(key)


@actor(max_age=timedelta(seconds=1))
def spoil(key: str) -> None:
    """Leave an effect, if it starts in time."""
    effect(key)


@actor(max_retries=0)
def start_and_stop(key: str) -> None:
    """Start a process as `multiprocessing` does on Linux, and stop it at once."""
    napping = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    napping.start()
    napping.terminate()
    napping.join(20)
    assert napping.exitcode == -signal.SIGTERM, napping.exitcode
    effect(key)


@actor(max_retries=0)
def raise_ctrl_c() -> None:
    """Raise what is no Exception."""
    raise KeyboardInterrupt
