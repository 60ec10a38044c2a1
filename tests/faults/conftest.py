"""The services of the scenarios: started once, and whole again after each scenario."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.books import Books
from tests.faults.matrix import Case
from tests.faults.rig import Rig
from tests.faults.table import FaultTable
from tests.services.postgres import Postgres
from tests.services.rabbitmq import RabbitMQ
from tests.services.shops import fill
from tests.services.smtp import SmtpServer
from tests.services.valkey import Valkey

TEMPLATE = "shop"
FOLDER = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FaultTable())


# First: pytest-xdist reads the marks in the same hook, and would find none.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the scenarios, which take longest: those of a broker in one process.

    Its services are started once, and two processes are left to what cannot wait.
    """
    for item in items:
        case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
        if isinstance(case, Case):
            item.add_marker(pytest.mark.xdist_group(f"faults-{case.broker}"))
    items.sort(key=lambda item: FOLDER not in item.path.parents)


@pytest.fixture(scope="session")
def hurt_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with Valkey(tmp_path_factory.mktemp("faults")) as server:
        yield server


@pytest.fixture(scope="session")
def hurt_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path_factory.mktemp("faults")) as server:
        yield server


@pytest.fixture(scope="session")
def hurt_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with a shop to be copied: its tables, and more stock than is ordered."""
    with Postgres(tmp_path_factory.mktemp("faults")) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        url = named(server.url, TEMPLATE)
        fill(url)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE shop_stockrecord SET quantity = 1000000000")
        yield server


def named(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return url.rpartition("/")[0] + "/" + database


@pytest.fixture
def books(hurt_postgres: Postgres) -> Iterator[Books]:
    """A database of the scenario's own."""
    name = f"fault_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(hurt_postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield Books(named(hurt_postgres.url, name))
    with psycopg.connect(hurt_postgres.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def rig(
    request: pytest.FixtureRequest,
    case: Case,
    hurt_postgres: Postgres,
    books: Books,
    smtp: SmtpServer,
    tmp_path: Path,
) -> Iterator[Rig]:
    """Everything for one case; its processes end with it."""
    server: Any = request.getfixturevalue(f"hurt_{case.broker}")
    smtp.clear()
    ready = Rig(
        engine=case.engine,
        broker=server,
        postgres=hurt_postgres,
        smtp=smtp,
        books=books,
        folder=tmp_path,
        name=f"faults-{uuid.uuid4().hex[:12]}",
        orders=case.orders,
        seed=case.seed,
    )
    yield ready
    ready.close()
    shutil.rmtree(tmp_path / "media", ignore_errors=True)
