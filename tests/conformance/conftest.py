"""Each combination starts its services and workers once; its tests share them."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.conformance.stacks import COMBINATIONS, Stack


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Open the database for good: a flush would sign the shared workers off."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session", params=COMBINATIONS)
def stack(
    request: pytest.FixtureRequest,
    database: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    alias: str = request.param
    _, _, server = alias.partition("_")
    service = request.getfixturevalue(server) if server else None
    log = tmp_path_factory.mktemp(alias) / "worker.log"
    log.touch()
    environment = {"TEST_DATABASE_NAME": str(connection.settings_dict["NAME"])}
    with Stack(alias, service, log, environment).running() as running:
        yield running


@pytest.fixture
def key() -> str:
    """A name of the test's own, so that neighbours on a stack stay apart."""
    return f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
