"""A body whose run was given to another worker while it was at work."""

from uuid import UUID

import pytest

from core import actor, current_run, monitoring, runs
from core.models import Worker
from tests.conformance.models import Effect

pytestmark = pytest.mark.django_db(transaction=True)


def give_to_another() -> None:
    """Do what happens to the run of a process that was silent too long."""
    run_id = UUID(current_run().id)
    Worker.objects.all().delete()
    assert runs.rescue("default", "default") == 1
    assert runs.claim("default", run_id, "alone-another")


def write() -> None:
    run = current_run()
    Effect.objects.create(key="fence", run_id=run.id, attempt=run.attempt, pid=0)


@actor
def replaced_before_its_writes() -> None:
    """Lose the run, then write."""
    give_to_another()
    with current_run().atomic():
        write()


@actor(atomic=True)
def replaced_in_its_transaction() -> None:
    """Write, and lose the run before the transaction ends."""
    write()
    give_to_another()


@actor
def replaced_and_done() -> None:
    """Lose the run and return as if nothing had happened."""
    give_to_another()


def test_replaced_worker_cannot_write() -> None:
    message = replaced_before_its_writes.send()
    run = monitoring.run(message.message_id)
    assert not Effect.objects.exists()
    assert (run.state, run.worker, run.attempt) == ("running", "alone-another", 2)


def test_replaced_worker_cannot_commit_what_it_has_written() -> None:
    replaced_in_its_transaction.send()
    assert not Effect.objects.exists()


def test_replaced_worker_cannot_settle() -> None:
    message = replaced_and_done.send()
    run = monitoring.run(message.message_id)
    assert (run.state, run.worker) == ("running", "alone-another")
