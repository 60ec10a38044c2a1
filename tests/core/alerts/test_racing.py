"""Many processes at the same moment: one has the turn, one sends."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections

from core.alerts import notices, rounds
from core.alerts.rounds import EVERY
from core.models import Notice
from core.testing import advance_time
from tests.core.alerts.conftest import DATABASE, Declare, look
from tests.core.monitoring.figures import breaks

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_rehearsed"),
]
RACERS, TIMES = 6, 5


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    connections.close_all()


def race(step: Callable[[], Any]) -> list[Any]:
    """Take a step in many threads at once; return what came of each."""
    start = threading.Barrier(RACERS)
    found: list[Any] = []

    def run() -> None:
        connections[DATABASE].ensure_connection()
        start.wait()
        try:
            found.append(step())
        except OperationalError:  # SQLite has one writer: a loser like any other
            found.append(None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == RACERS
    return found


def test_one_of_many_has_the_turn() -> None:
    rounds.take_turn(DATABASE)
    for _ in range(TIMES):
        advance_time(timedelta(seconds=EVERY))
        turns = race(lambda: rounds.take_turn(DATABASE))
        assert len([turn for turn in turns if turn is not None]) == 1


def test_one_of_many_sends_a_notice(rules: Declare) -> None:
    rules(full={"when": "backlog", "above": 0, "to": ["log"]})
    breaks.send()
    look()
    for number in range(1, TIMES + 1):
        claims = race(lambda: notices.claim(DATABASE, ["log"]))
        assert len([claim for claim in claims if claim]) == 1
        assert Notice.objects.get().tries == number
        Notice.objects.update(claimed_until=None)
