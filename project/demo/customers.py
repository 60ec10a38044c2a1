"""Customers who order over HTTP, and what became of their orders."""

import json
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

ENDED = {"succeeded", "dead", "cancelled"}
#: All orders of an engine must be through within so many seconds.
PATIENCE = 90


@dataclass(frozen=True, slots=True)
class Placed:
    """One order as the shop answered it."""

    reference: str
    email: str
    status_url: str


def place(url: str, engine: str, lines: list[list[dict[str, Any]]]) -> list[Placed]:
    """Place one order for each list of lines, four customers at a time."""
    stamp = time.time_ns()

    def one(number: int) -> Placed:
        email = f"{engine}-{number}-{stamp}@example.org"
        body = {
            "customer": {"name": f"Customer {number} on {engine}", "email": email},
            "lines": lines[number],
        }
        answer = get_json(f"{url}/api/orders/", body)
        return Placed(answer["order"]["reference"], email, answer["status_url"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(len(lines))))


def follow(url: str, placed: list[Placed], show: Callable[[int, int], None]) -> None:
    """Ask for every order until all its tasks have ended; report progress."""
    deadline = time.monotonic() + PATIENCE
    waiting = list(placed)
    while waiting and time.monotonic() < deadline:
        waiting = [order for order in waiting if not _ended(url, order)]
        show(len(placed) - len(waiting), len(placed))
        time.sleep(0.3)


def _ended(url: str, order: Placed) -> bool:
    answer = get_json(url + order.status_url)
    return all(task["status"] in ENDED for task in answer["tasks"])


def get_json(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the JSON at a URL; with a body, what a POST of it answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  # http only, our own server
        url, data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
        parsed: dict[str, Any] = json.load(answer)
        return parsed
