"""Each combination starts its services and workers once; its tests share them."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.conformance.combinations import CANNOT, chosen, lacking
from tests.conformance.promises import FOLDER, every
from tests.conformance.stacks import Stack
from tests.conformance.table import address

#: docs/guarantees.md is written from the text of the tests.
UNLISTED = (
    "is not listed as it runs. A promise is a function of its module, and its needs"
    ' are written on it or in pytestmark as pytest.mark.needs("worker").'
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every promise on every combination, each combination's in one go."""
    if "stack" in metafunc.fixturenames:
        metafunc.parametrize("stack", chosen(), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what a combination says it cannot, before anything starts for it."""
    promises = every()
    for item in items:
        if FOLDER not in item.path.parents:
            continue
        needs = [need for mark in item.iter_markers("needs") for need in mark.args]
        promise = promises.get(address(item))
        if promise is None or set(promise.needs) != set(needs):
            raise pytest.UsageError(f"{item.nodeid}: {UNLISTED}")
        try:
            missing = lacking(item.callspec.params["stack"], needs) if needs else []
        except (AttributeError, LookupError) as error:  # no stack, no such flag
            raise pytest.UsageError(f"{item.nodeid}: {error}") from error
        if missing:
            item.add_marker(pytest.mark.skip(f"{CANNOT}{', '.join(missing)}"))


@pytest.fixture(scope="session")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Open the database for good: a flush would sign the shared workers off."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest,
    database: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    alias: str = request.param
    server = chosen()[alias]
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
