"""What a backend says of itself, which decides what else is asked of it."""

import subprocess

import pytest

from core.backend import BaseBackend
from tests.conformance.stacks import PROCESSES, PROJECT, Stack


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
        assert len(stack.workers()) == PROCESSES
    else:
        assert refusal(stack).startswith("NotImplementedError: ")


def test_backend_hands_out_events_or_says_that_it_cannot(stack: Stack) -> None:
    backend = stack.broker.backend
    if backend.supports_events:
        assert type(backend).announce is not BaseBackend.announce
    else:
        with pytest.raises(NotImplementedError):
            backend.announce("tests", [])
