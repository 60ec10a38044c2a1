"""Limits and keys shared by the workers of both engines."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.conformance.limited_tasks import (
    once_until_its_end,
    work_at_a_pace,
    work_by_twos,
)
from tests.conformance.stacks import Stack, effects, open_gate, spread
from tests.conformance.test_limits import most_at_once
from tests.services.waiting import wait_for

pytestmark = pytest.mark.together("celery_valkey", "dramatiq_valkey")


@pytest.fixture(scope="module")
def both(
    request: pytest.FixtureRequest,
    database: None,
    valkey: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Stack]]:
    """A Celery worker and a Dramatiq worker, each of two processes."""
    environment = {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
    stacks = []
    with ExitStack() as stack:
        for alias in request.node.get_closest_marker("together").args:
            log = tmp_path_factory.mktemp(alias) / "worker.log"
            log.touch()
            running = Stack(alias, valkey, log, environment).running()
            stacks.append(stack.enter_context(running))
        yield stacks


def test_concurrency_is_one_number_over_both_engines(
    both: list[Stack], key: str
) -> None:
    sent = [(stack, stack.send(work_by_twos, key)) for _ in range(8) for stack in both]
    assert {stack.finish(message, 60) for stack, message in sent} == {"succeeded"}
    assert effects(f"{key}/in") == 16
    assert most_at_once(key) <= 2


def test_rate_is_one_number_over_both_engines(both: list[Stack], key: str) -> None:
    sent = [
        (stack, stack.send(work_at_a_pace, key)) for _ in range(10) for stack in both
    ]
    assert {stack.finish(message, 60) for stack, message in sent} == {"succeeded"}
    assert spread([message for _, message in sent]) > timedelta(seconds=1.7)


def test_key_is_unique_over_both_engines(both: list[Stack], key: str) -> None:
    one, other = both
    first = one.send(once_until_its_end, key, 1)
    wait_for(lambda: effects(f"{key}/1"), 30, one.tail())
    again = other.send(once_until_its_end, key, 2)
    assert (again.created, again.message_id) == (False, first.message_id)
    open_gate(key)
    assert one.finish(first) == "succeeded"
