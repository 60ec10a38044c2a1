"""Bodies that leave a transaction open: only they fail, and nothing of it stays."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from core import Message, actor, current_run, monitoring

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def write() -> None:
    Group.objects.create(name="left open")


def begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    write()


def turn_off() -> None:
    connection.set_autocommit(False)
    write()


def turn_off_alone() -> None:
    connection.set_autocommit(False)


def enter() -> None:
    transaction.atomic().__enter__()
    write()


def begin_and_fail() -> None:
    begin()
    raise ValueError("in the middle")


def settle_and_begin() -> None:
    with current_run().atomic():
        Group.objects.create(name="settled")
    begin()


def sent(body: Callable[[], None]) -> Message[None]:
    return actor(actor_name=f"test.open.{body.__name__}", max_retries=0)(body).send()


@actor(actor_name="test.open.neighbour")
def neighbour() -> None:
    Group.objects.create(name="neighbour")


def groups() -> set[str]:
    """Return what has been committed, as another connection sees it."""
    connection.close()
    return set(Group.objects.values_list("name", flat=True))


@pytest.mark.parametrize("body", [begin, turn_off, turn_off_alone, enter])
def test_body_that_leaves_a_transaction_open_fails_and_its_neighbour_does_not(
    body: Callable[[], None],
) -> None:
    run = monitoring.run(sent(body).message_id)
    assert run.state == "dead"
    assert "left a transaction open on 'default'" in run.error
    assert neighbour.send().status() == "succeeded"
    assert groups() == {"neighbour"}


def test_first_error_in_a_transaction_is_reported() -> None:
    run = monitoring.run(sent(begin_and_fail).message_id)
    assert (run.state, run.error) == ("dead", "ValueError: in the middle")
    assert neighbour.send().status() == "succeeded"
    assert groups() == {"neighbour"}


def test_success_settled_before_an_open_transaction_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert sent(settle_and_begin).status() == "succeeded"
    assert "left a transaction open" in caplog.text
    assert groups() == {"settled"}


def test_transaction_of_a_sender_who_performs_in_process_is_left_alone() -> None:
    ran = []

    @actor(actor_name="test.open.inside", durable=False)
    def inside() -> None:
        ran.append(connection.in_atomic_block)

    with transaction.atomic():
        write()
        inside()
    assert (ran, groups()) == ([True], {"left open"})
