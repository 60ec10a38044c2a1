"""The alias of these tests, and a worker of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import brokers
from core.testing import rehearsing
from tests.core.monitoring.explaining.asking import ALIAS, add_worker
from tests.services.valkey import Valkey


@pytest.fixture(autouse=True)
def _alias(settings: Any, valkey: Valkey) -> Iterator[None]:
    """An alias with a broker that answers, and nobody who works."""
    settings.BROKERS = {
        **settings.BROKERS,
        ALIAS: {
            "BACKEND": "backends.dramatiq.DramatiqBackend",
            "URL": valkey.url,
        },
    }
    with rehearsing():
        yield
    brokers.forget(ALIAS)


@pytest.fixture
def _worker() -> None:
    add_worker()
