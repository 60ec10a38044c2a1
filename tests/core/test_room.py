"""What room a queue has at its broker."""

import pytest

from core import runs
from core.relay.outbox import Outbox
from tests.core.one_queue import ALIAS, THREADS, make_worker, new_outbox
from tests.core.test_runs import FAILURE, make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outbox() -> Outbox:
    return new_outbox()


def room(outbox: Outbox) -> int:
    """Return how many runs of any priority the broker may be given now."""
    return outbox.capacity.room("default")[-1]


def test_reserved_runs_take_room(outbox: Outbox) -> None:
    make_worker()
    assert room(outbox) == 2 * THREADS
    for _ in range(3):
        make(broker=ALIAS)
    taken = runs.reserve("default", ALIAS, "default", [(100, 3)], 60, {})
    assert (len(taken), room(outbox)) == (3, 2 * THREADS - 3)
    runs.mark("default", taken[:1], 60)
    assert room(outbox) == 2 * THREADS - 3
    runs.give_back("default", [taken[1].pk], 0)
    assert room(outbox) == 2 * THREADS - 2


def test_reservation_of_a_dead_relay_takes_no_room(
    outbox: Outbox,
) -> None:
    make_worker()
    make(broker=ALIAS)
    assert runs.reserve("default", ALIAS, "default", [(100, 1)], -1, {})
    assert room(outbox) == 2 * THREADS


def test_run_that_waits_for_its_retry_takes_no_room(outbox: Outbox) -> None:
    make_worker()
    run = make(broker=ALIAS)
    assert runs.reserve("default", ALIAS, "default", [(100, 1)], 60, {})
    claimed = runs.claim("default", run.pk, "one")
    assert runs.retry("default", claimed, FAILURE, delay=60)
    assert room(outbox) == 2 * THREADS
