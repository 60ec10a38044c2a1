"""Calls in threads that leave no database connection behind."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def in_thread(call: Callable[[], Any]) -> Any:
    """Do it, and leave no connection of this thread behind."""
    try:
        return call()
    finally:
        connections.close_all()


def at_once(step: Callable[[int], Any], times: int = 16) -> list[Any]:
    """Take a step from many threads at once; return what each got."""
    with ThreadPoolExecutor(times) as pool:
        return list(
            pool.map(lambda number: in_thread(lambda: step(number)), range(times))
        )
