"""A process's right to speak for its runs, over its own troubles."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from uuid import uuid4

import psutil
import pytest
from django.db import connection
from django.db.models.functions import Now

from core import Cancelled, LeaseLost, runs
from core.broker.broker import Broker
from core.broker.config import BrokerConfig
from core.models import Run, Worker
from core.processes.clock import Clock
from tests.core.guarded import Guarded, waiting
from tests.core.test_runs import FAILURE, make
from tests.services.environment import on_postgres
from tests.services.threads import in_thread
from tests.services.waiting import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

#: The shortest lease that a test waits out, s.
SHORT = 1.5


@pytest.fixture
def lease(request: pytest.FixtureRequest) -> float:
    """The seconds of the broker's leases; a mark gives others."""
    return getattr(request, "param", 30.0)


@pytest.fixture
def heartbeat(request: pytest.FixtureRequest) -> float:
    """The seconds between two of its heartbeats; a mark gives others."""
    return getattr(request, "param", 0.1)


@pytest.fixture
def broker(lease: float, heartbeat: float) -> Iterator[Broker]:
    given = {
        "BACKEND": "backends.inprocess.InProcessBackend",
        "TIMING": {"heartbeat": heartbeat, "lease": lease},
    }
    broker = Broker(BrokerConfig.read(f"lease-{uuid4().hex[:6]}", given))
    yield broker
    broker.worker_stopped()


@contextmanager
def running(broker: Broker) -> Iterator[tuple[Run, Guarded]]:
    """Have a run claimed, and a body that waits to be interrupted."""
    interrupts = broker.lease.interrupts
    run = make(broker=broker.alias)
    with broker.lease.active(run.pk):
        claimed = runs.claim("default", run.pk, broker.lease.take())
        assert claimed
        body = Guarded(interrupts, waiting, key=run.pk)
        yield claimed, body
        interrupts.raise_in(run.pk, Cancelled)
        body.end()


@contextmanager
def locked() -> Iterator[None]:
    """Write to the database file of SQLite, so that nobody else can."""
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, isolation_level=None, timeout=20)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.execute("ROLLBACK")


@contextmanager
def without_workers() -> Iterator[None]:
    """Make every statement about workers fail."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_worker RENAME TO core_worker_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_worker_away RENAME TO core_worker")


def names(broker: Broker) -> set[str]:
    return {worker.name for worker in Worker.alive("default", broker.alias)}


def beat(broker: Broker) -> None:
    """Wait for the next heartbeat."""
    until = Worker.objects.get(broker=broker.alias).lease_until
    wait_for(lambda: Worker.objects.get(broker=broker.alias).lease_until > until)


def test_worker_that_boots_without_its_database_registers_later(broker: Broker) -> None:
    with without_workers():
        broker.worker_started(4)
    wait_for(lambda: names(broker))
    assert Worker.objects.get(broker=broker.alias).threads == 4


def test_worker_whose_row_is_gone_comes_back_under_another_name(broker: Broker) -> None:
    broker.worker_started(4)
    first = names(broker)
    Worker.objects.filter(broker=broker.alias).delete()
    wait_for(lambda: names(broker))
    assert names(broker).isdisjoint(first)


def test_living_worker_keeps_its_lease(broker: Broker) -> None:
    broker.worker_started(4)
    beat(broker)
    assert len(names(broker)) == 1


def test_worker_that_runs_before_it_is_up_keeps_its_name(broker: Broker) -> None:
    name = broker.lease.take()
    broker.worker_started(4)
    assert broker.lease.take() == name
    assert Worker.objects.get(broker=broker.alias).threads == 4


def test_worker_that_stops_signs_off_at_once(broker: Broker) -> None:
    broker.worker_started(4)
    broker.worker_stopped()
    assert not Worker.objects.filter(broker=broker.alias).exists()


def test_dropped_copy_takes_nothing_from_the_run_in_hand(broker: Broker) -> None:
    broker.worker_started(4)
    run = make(broker=broker.alias)
    with broker.lease.active(run.pk):
        runs.claim("default", run.pk, broker.lease.take())
        broker.deliver("default", broker.sender.engine_message(run).payload)
        for _ in range(2):
            beat(broker)
    run.refresh_from_db()
    assert (run.state, run.crashes) == ("running", 0)


def test_heartbeat_outlives_any_error(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(process: psutil.Process) -> None:
        raise OSError("too many open files")

    broker.worker_started(4)
    before = names(broker)
    with monkeypatch.context() as broken:
        broken.setattr(psutil.Process, "memory_info", refuse)
        wait_for(lambda: "too many open files" in caplog.text)
    beat(broker)
    assert names(broker) == before


def test_body_whose_run_was_given_away_is_told(broker: Broker) -> None:
    broker.worker_started(4)
    with running(broker) as (kept, body), running(broker) as (given, other):
        runs.postpone("default", given, FAILURE, delay=3600)
        assert other.end().kinds == [LeaseLost]
        beat(broker)
        assert body.raised == []
        kept.refresh_from_db()
        assert kept.state == "running"


@pytest.mark.skipif(on_postgres(), reason="SQLite alone has one lock for all")
@pytest.mark.parametrize("lease", [SHORT], indirect=True)
def test_write_that_blocks_all_others_costs_no_lease(broker: Broker) -> None:
    broker.worker_started(4)
    before, clock = names(broker), Clock(broker, [])
    expired = Worker.objects.filter(broker=broker.alias, lease_until__lt=Now())
    with ThreadPoolExecutor(1) as others, running(broker) as (run, body):
        with locked():
            rescuing = others.submit(in_thread, clock.round)
            wait_for(expired.exists)
        rescuing.result(20)
        beat(broker)
        assert (names(broker), body.raised) == (before, [])
        run.refresh_from_db()
        assert (run.state, run.crashes) == ("running", 0)


@pytest.mark.skipif(not on_postgres(), reason="SQLite has no locks on tables")
@pytest.mark.parametrize("lease", [SHORT], indirect=True)
@pytest.mark.parametrize("heartbeat", [SHORT / 2], indirect=True)
def test_lease_renewed_after_a_wait_for_a_lock_is_not_over_at_once(
    broker: Broker,
) -> None:
    broker.worker_started(4)
    before = Worker.objects.get(broker=broker.alias).lease_until
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE core_worker IN ACCESS EXCLUSIVE MODE")
        wait_for(lambda: has_waited(SHORT), 20)
        cursor.execute("ROLLBACK")
    # The heartbeat after that comes too late to be taken for it.
    wait_for(lambda: Worker.objects.get(broker=broker.alias).lease_until > before)
    assert names(broker)


def has_waited(seconds: float) -> bool:
    """Say whether a statement has waited for a lock for so long."""
    sql = """
        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND clock_timestamp() - query_start > make_interval(secs => %s)
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [seconds])
        return bool(cursor.fetchone()[0])


def test_process_is_not_idle_while_a_second_attempt_of_a_stuck_run_goes_on(
    broker: Broker,
) -> None:
    lease, run = broker.lease, uuid4()
    with lease.active(run):
        lease.stuck.add(run)
        assert lease.is_idle()
        with lease.active(run):
            assert not lease.is_idle()
        assert lease.is_idle()
