"""What was published and has not started: lost, or only waiting for its turn."""

from typing import Any

import pytest

from core import runs
from core.models import Run
from core.relay.capacity import LOOKS, TURNS
from core.relay.outbox import Outbox
from tests.core.one_queue import ALIAS, SLOTS, make_worker, new_outbox
from tests.core.test_runs import make, state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outbox() -> Outbox:
    return new_outbox()


def make_published(waited: float, **more: Any) -> Run:
    """A run that might have been taken for lost for so many seconds."""
    run = make(broker=ALIAS, **more)
    runs.mark("default", [run], lost=-waited)
    return run


def keep_busy(worker: str = "one", number: int = SLOTS) -> list[Run]:
    running = [make(broker=ALIAS) for _ in range(number)]
    for run in running:
        assert runs.claim("default", run.pk, worker)
    return running


def look(outbox: Outbox, times: int = LOOKS) -> list[int]:
    return [outbox.capacity.find_lost() for _ in range(times)]


def test_what_an_idle_process_does_not_start_is_lost(outbox: Outbox) -> None:
    make_worker()
    run = make_published(1)
    assert look(outbox) == [0] * (LOOKS - 1) + [1]
    assert state(run) == "pending"


def test_what_was_published_just_now_is_not_lost(outbox: Outbox) -> None:
    make_worker()
    run = make_published(-5)
    assert not any(look(outbox))
    assert state(run) == "queued"


def test_slot_that_is_free_between_two_runs_proves_nothing(outbox: Outbox) -> None:
    make_worker()
    run = make_published(1)
    look(outbox, LOOKS - 1)
    keep_busy()
    look(outbox, 1)
    Run.objects.filter(state="running").update(state="succeeded")
    assert not any(look(outbox, LOOKS - 1))
    assert state(run) == "queued"


def test_behind_busy_processes_a_run_waits_without_being_sent_again(
    outbox: Outbox,
) -> None:
    make_worker()
    keep_busy()
    run = make_published(100_000)
    assert not any(look(outbox, 2 * LOOKS))
    assert state(run) == "queued"


def test_run_whose_turn_was_long_ago_is_lost_also_behind_busy_processes(
    outbox: Outbox,
) -> None:
    lost = outbox.timing.lost
    # Two wait, and one starts in so many seconds: both should have long started.
    make_worker(rate=2 / (lost * 2))
    keep_busy()
    early, late = make_published(lost * 2 * TURNS), make_published(lost)
    assert look(outbox, 1) == [1]
    assert (state(early), state(late)) == ("pending", "queued")


def test_idle_process_gets_what_a_busy_one_hoards(outbox: Outbox) -> None:
    for name in ("one", "two", "three"):
        make_worker(name)
    keep_busy("one")
    keep_busy("two")
    run = make_published(1)
    assert look(outbox)[-1] == 1
    assert state(run) == "pending"
