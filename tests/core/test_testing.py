"""What a user's own tests may count on: unittest's way here, pytest's below."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.test import TestCase

from core import (
    Message,
    ResultMissing,
    UnknownRun,
    actor,
    current_run,
    group,
)
from core.models import Run, Worker
from core.testing import TaskTestMixin, advance_time, drain, enqueued, perform


class Broken(Exception):
    """What an actor of these tests raises."""


@actor(actor_name="testing.note", store_results=True, result_ttl=60_000)
def note(name: Any, *, again: bool = False) -> list[str]:
    """Make a group of that name; send for another one if told to."""
    Group.objects.create(name=str(name))
    if again:
        note.send(f"{name} again")
    return [str(name), type(name).__name__]


@actor(actor_name="testing.break", max_retries=1, min_backoff=60_000)
def break_down() -> None:
    """Fail."""
    Group.objects.create(name=f"attempt {current_run().attempt}")
    raise Broken


@actor(actor_name="testing.direct", durable=False)
def note_directly(name: str) -> None:
    """Make a group of that name, without a row."""
    Group.objects.create(name=name)


@actor(actor_name="testing.paced", rate_limit="1/m")
def note_at_a_pace(name: str) -> None:
    """Make a group of that name, one a minute."""
    Group.objects.create(name=name)


def noted() -> list[str]:
    return list(Group.objects.order_by("pk").values_list("name", flat=True))


class InATestCase(TaskTestMixin, TestCase):
    def test_sent_message_waits_and_drain_performs_it(self) -> None:
        message = note.send("a")
        assert (noted(), message.status()) == ([], "pending")
        assert self.drain() == 1
        assert (noted(), message.status()) == (["a"], "succeeded")
        assert not Worker.objects.exists()
