"""The flags of a backend."""

import subprocess
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from core import BrokerUnavailable
from core.backend import BaseBackend
from core.models import Run
from tests.conformance.limited_tasks import note_directly
from tests.conformance.stacks import PROCESSES, PROJECT, Stack, effects
from tests.services.environment import YOURS
from tests.services.faults import frozen
from tests.services.waiting import wait_for


def refusal(stack: Stack) -> str:
    """Start a bare worker of the combination; return how it ended."""
    ended = subprocess.run(
        stack.command("--child"),
        cwd=PROJECT,
        env=stack.variables,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return ended.stderr.strip().splitlines()[-1] if ended.returncode else "it worked"


def test_backend_has_a_worker_or_says_that_it_cannot(stack: Stack) -> None:
    if stack.broker.backend.supports_worker:
        # The test before may have killed one: another takes its place.
        wait_for(lambda: len(stack.workers()) == PROCESSES, 30)
    else:
        assert refusal(stack).startswith("NotImplementedError: ")


def test_direct_message_leaves_no_row_or_the_backend_has_no_broker(
    stack: Stack, key: str
) -> None:
    message = stack.send_directly(note_directly, key)
    wait_for(lambda: effects(key) == 1, 30)
    has_row = Run.objects.filter(pk=message.message_id).exists()
    backend = stack.broker.backend
    if backend.supports_publish:
        assert not has_row
    else:
        assert has_row


def test_backend_hands_out_events_or_says_that_it_cannot(
    stack: Stack, key: str
) -> None:
    backend = stack.broker.backend
    if backend.supports_events:
        backend.announce(f"{settings.NAMESPACE}.{key}", [b"{}"])
    else:
        with pytest.raises(NotImplementedError):
            backend.announce("tests", [b"{}"])


def test_server_of_the_broker_can_be_stopped_or_there_is_none(
    stack: Stack,
) -> None:
    backend = stack.broker.backend
    if stack.service is None:
        assert stack.alias == YOURS or urlsplit(backend.url).hostname is None
    else:
        with frozen(stack.service), pytest.raises(BrokerUnavailable):
            backend.ping()
    wait_for(lambda: answers(backend), 10)


def answers(backend: BaseBackend) -> bool:
    try:
        backend.ping()
    except BrokerUnavailable:
        return False
    return True
