"""Each combination starts its services and workers once; its tests share them."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.conformance.bodies import at_the_end
from tests.conformance.combinations import CANNOT, chosen, lacking
from tests.conformance.promises import FOLDER, Promise, every
from tests.conformance.stacks import Stack, open_gate
from tests.conformance.table import address, stack_of

#: docs/guarantees.md is written from the text of the tests.
UNLISTED = (
    "is not listed as it runs. A promise is a function of its module; its needs are"
    ' written on it or in pytestmark as pytest.mark.needs("worker"), and what it is'
    ' about as the argument `stack`, or as pytest.mark.together("an alias", ...).'
)
#: With --backend nothing is asked of the combinations that ship.
OTHERS = "it is about other backends than the one that is tried"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every promise on every combination, each combination's in one go."""
    if "stack" in metafunc.fixturenames:
        metafunc.parametrize("stack", chosen(), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what a combination says it cannot, before anything starts for it."""
    promises = every()
    for item in items:
        if FOLDER in item.path.parents:
            promise = promises.get(address(item))
            if promise is None or not is_as_listed(promise, item):
                raise pytest.UsageError(f"{item.nodeid}: {UNLISTED}")
            if reason := reason_to_skip(promise, item):
                item.add_marker(pytest.mark.skip(reason))


def is_as_listed(promise: Promise, item: pytest.Item) -> bool:
    """Say whether the text of a test has told all that pytest knows of it."""

    def marked(name: str) -> set[str]:
        return {given for mark in item.iter_markers(name) for given in mark.args}

    on_each = stack_of(item) is not None
    return (
        set(promise.needs) == marked("needs")
        and set(promise.together) == marked("together")
        and on_each is not bool(promise.together)
    )


def reason_to_skip(promise: Promise, item: pytest.Item) -> str:
    """Return why the promise is not asked of the item's combination; "" if it is."""
    if promise.together:
        return "" if set(promise.together) <= set(chosen()) else OTHERS
    try:
        missing = lacking(stack_of(item), promise.needs)
    except LookupError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from error
    return f"{CANNOT}{', '.join(missing)}" if missing else ""


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
def key(database: None) -> Iterator[str]:
    """A name of the test's own, so that neighbours on a stack stay apart.

    At its end all of its gates open: one that failed would leave no place for the next.
    """
    name = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    yield name
    open_gate(at_the_end(name))
