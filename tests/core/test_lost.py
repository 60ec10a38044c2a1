"""What was published and has not started: lost, or only waiting for its turn."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings

from core import runs
from core.broker.broker import Broker
from core.broker.config import BrokerConfig
from core.models import Run
from core.relay.lost import EARLY, LOOKS, ON_ITS_WAY, TURNS
from tests.core.one_queue import THREADS, make_worker
from tests.core.test_runs import make, state
from tests.services.faults import frozen
from tests.services.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

#: A run may be called lost after so long, s.
LOST = 20.0


@pytest.fixture
def lost() -> float:
    return LOST


@pytest.fixture
def broker(valkey: Valkey, lost: float) -> Iterator[Broker]:
    """An alias of its own: nobody else serves its queues."""
    alias = f"lost-{uuid4().hex[:8]}"
    shared = settings.BROKERS["dramatiq_valkey"]
    timing = {"lost": lost}
    broker = Broker(BrokerConfig.read(alias, {**shared, "TIMING": timing}))
    yield broker
    broker.backend.purge(broker.sender.physical("default"))


def add_worker(broker: Broker, name: str = "one", rate: float = 0.0) -> None:
    make_worker(f"{broker.alias}-{name}", broker.alias, rate=rate)


def published(broker: Broker, waited: float, *, there: bool = False) -> Run:
    """A run that was published so long ago, and is at the broker or nowhere."""
    run = make(broker=broker.alias)
    if there:
        broker.backend.publish([broker.sender.engine_message(run)])
    runs.mark("default", [run], lost=LOST - waited)
    return run


def keep_busy(broker: Broker, name: str = "one") -> None:
    for run in [make(broker=broker.alias) for _ in range(THREADS)]:
        assert runs.claim("default", run.pk, f"{broker.alias}-{name}")


def look(broker: Broker, times: int = LOOKS) -> list[int]:
    return [broker.lost.find() for _ in range(times)]


def test_run_missing_from_the_broker_of_idle_processes_is_lost(broker: Broker) -> None:
    add_worker(broker)
    run = published(broker, LOST + 1)
    assert look(broker) == [0] * (LOOKS - 1) + [1]
    assert state(run) == "pending"


def test_recently_published_run_is_not_lost(broker: Broker) -> None:
    add_worker(broker)
    run = published(broker, LOST * (1 - EARLY / 2))
    assert not any(look(broker))
    assert state(run) == "queued"


def test_run_that_waits_at_the_broker_is_not_lost(broker: Broker) -> None:
    # As after a restart of all workers: they have nothing to do yet.
    add_worker(broker)
    waiting = [published(broker, 1000, there=True) for _ in range(20)]
    assert not any(look(broker, 2 * LOOKS))
    assert {state(run) for run in waiting} == {"queued"}


def test_few_lost_runs_among_many_are_found(
    broker: Broker,
) -> None:
    add_worker(broker)
    for _ in range(5):
        published(broker, LOST + 1, there=True)
    gone = published(broker, LOST + 1)
    assert look(broker)[-1] > 0
    assert state(gone) == "pending"


def test_run_on_its_way_to_the_broker_is_not_missing(broker: Broker) -> None:
    add_worker(broker)
    waiting = published(broker, LOST + 1, there=True)
    for _ in range(5):
        published(broker, ON_ITS_WAY / 2)
    assert not any(look(broker, 2 * LOOKS))
    assert state(waiting) == "queued"


def test_thread_free_between_two_runs_proves_nothing(broker: Broker) -> None:
    add_worker(broker)
    run = published(broker, LOST + 1)
    look(broker, LOOKS - 1)
    keep_busy(broker)
    look(broker, 1)
    Run.objects.filter(state="running").update(state="succeeded")
    assert not any(look(broker, LOOKS - 1))
    assert state(run) == "queued"


def test_behind_busy_processes_a_run_waits_without_being_sent_again(
    broker: Broker,
) -> None:
    add_worker(broker)
    keep_busy(broker)
    run = published(broker, 100_000)
    assert not any(look(broker, 2 * LOOKS))
    assert state(run) == "queued"


def test_runs_lost_by_the_broker_return_behind_busy_processes(
    broker: Broker,
) -> None:
    add_worker(broker)
    keep_busy(broker)
    # One more than the busy process may have taken in advance.
    gone = [published(broker, LOST + 1) for _ in range(THREADS + 1)]
    assert look(broker) == [0] * (LOOKS - 1) + [len(gone)]


def test_one_lost_run_behind_busy_processes_makes_no_storm(broker: Broker) -> None:
    add_worker(broker, rate=1.0)
    keep_busy(broker)
    for _ in range(20):
        published(broker, 1000, there=True)
    for _ in range(THREADS + 1):
        published(broker, 1000)
    assert not any(look(broker, 3 * LOOKS))


def look_for(broker: Broker, seconds: float) -> int:
    """Look again and again; return how many were taken back."""
    taken, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        taken += sum(look(broker, 1))
    return taken


@pytest.mark.parametrize("lost", [0.1])
def test_run_that_others_overtake_for_long_is_sent_again(broker: Broker) -> None:
    add_worker(broker, rate=1.0)
    keep_busy(broker)
    hidden = published(broker, 1000)
    waiting = published(broker, 100, there=True)
    strange = make(broker=broker.alias)  # as a direct message: its row is not published
    broker.backend.publish([broker.sender.engine_message(strange)] * 10)
    assert look_for(broker, TURNS * 0.1 * 1.5) == 1
    assert (state(hidden), state(waiting)) == ("pending", "queued")


@pytest.mark.parametrize("lost", [0.5])
def test_idle_process_gets_what_a_busy_one_hoards(broker: Broker) -> None:
    for name in ("one", "two", "three"):
        add_worker(broker, name)
    for name in ("one", "two"):
        keep_busy(broker, name)
    run = published(broker, 1000)
    started = time.monotonic()
    while state(run) == "queued":
        look(broker, 1)
    assert time.monotonic() - started >= 0.5


def test_broker_that_does_not_answer_has_lost_nothing_yet(
    broker: Broker, valkey: Valkey
) -> None:
    add_worker(broker)
    run = published(broker, LOST + 1)
    with frozen(valkey):
        assert not any(look(broker))
    assert state(run) == "queued"
