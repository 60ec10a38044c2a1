"""Aliases whose brokers are away, or silent."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from core import brokers
from tests.services.environment import free_port


@pytest.fixture
def _away(settings: Any) -> Iterator[None]:
    """An alias "down", where nobody listens, and one "silent", where nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"down": free_port(), "silent": silent.getsockname()[1]}
        aliases = {
            alias: {
                "BACKEND": "backends.celery.CeleryBackend",
                "URL": f"redis://127.0.0.1:{port}/0",
            }
            for alias, port in ports.items()
        }
        default = settings.BROKERS["default"]
        settings.BROKERS = {"default": default, **aliases}
        yield
    for alias in aliases:
        brokers.forget(alias)


@pytest.fixture
def _worker(transactional_db: None) -> Iterator[None]:
    """This process as a worker of the alias "default"."""
    broker = brokers["default"]
    broker.worker_started(4)
    yield
    broker.worker_stopped()
