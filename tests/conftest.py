"""The services as fixtures: each is started when the first test asks for it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test.utils import setup_databases

from core import BrokerConfigError, brokers
from tests.conformance.combinations import chosen
from tests.conformance.table import PromiseTable, is_whole, stack_of
from tests.services import lateness, leftovers, logs
from tests.services.environment import YOURS, add_yours, on_postgres, port_of
from tests.services.postgres import Postgres
from tests.services.rabbitmq import RabbitMQ
from tests.services.smtp import SmtpServer
from tests.services.valkey import Valkey

pytest_plugins = ["core.testing.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a third party run tests/conformance on its own backend alone."""
    group = parser.getgroup("switchyard")
    group.addoption("--backend", help="try this backend: package.module.Class")
    group.addoption("--url", default="", help="its URL, as in BROKERS")
    group.addoption("--inject", help="package.module.function(url, queue, body)")


def pytest_configure(config: pytest.Config) -> None:
    """Take note of a backend to try, and have a table of the promises at the end."""
    if config.option.backend is not None:
        _try_backend(config)
    for plugin in (lateness, leftovers, logs):
        config.pluginmanager.register(plugin)
    config.pluginmanager.register(PromiseTable(list(chosen()), is_whole(config)))


# First: pytest-xdist reads the marks in the same hook, and would find none.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a combination in one process of pytest-xdist.

    Its workers are started once.
    """
    for item in items:
        together = item.get_closest_marker("together")
        group = "-".join(together.args) if together else stack_of(item)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run a combination's tests scattered over the processes.

    Every process would start every worker: twice the time, and starved tests.
    """
    if not getattr(session.config.option, "loadgroup", False):
        return
    for item in session.items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            pytest.exit(f"pytest-xdist does not group {item.nodeid}.", returncode=4)


def _try_backend(config: pytest.Config) -> None:
    """Give `--backend` an alias, here and in the workers that the tests start."""
    os.environ["TEST_BACKEND"] = config.option.backend
    os.environ["TEST_BACKEND_URL"] = config.option.url
    if config.option.inject:
        os.environ["TEST_BACKEND_INJECT"] = config.option.inject
    add_yours(django_settings.BROKERS)
    try:
        brokers[YOURS].backend  # noqa: B018  # built here, where a mistake is told
    except BrokerConfigError as error:
        raise pytest.UsageError(f"--backend: {error}") from error


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """The server that the aliases celery_valkey and dramatiq_valkey use."""
    folder = tmp_path_factory.mktemp("service")
    with Valkey(folder, port_of("TEST_VALKEY_URL")) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """The node that the aliases celery_rabbitmq and dramatiq_rabbitmq use."""
    folder = tmp_path_factory.mktemp("service")
    with RabbitMQ(folder, port_of("TEST_RABBITMQ_URL")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Postgres]:
    """A database server; Django's own, with TEST_DATABASE=postgres."""
    port = port_of("TEST_DATABASE_URL") if on_postgres() else None
    folder = tmp_path_factory.mktemp("service")
    with Postgres(folder, port, careless=on_postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def smtp() -> Iterator[SmtpServer]:
    """Where worker processes send their mails."""
    server = SmtpServer(port_of("TEST_SMTP_URL"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailed(smtp: SmtpServer, settings: Any) -> SmtpServer:
    """The mail server, empty; the test's own process sends there, too.

    Django's test runner has replaced the sending of mails in this process.
    """
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    smtp.clear()
    return smtp


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Sign this process off as a worker before the flush takes its row away.

    Otherwise the heartbeat of a test that performed tasks in process finds its lease
    lost, or its database closed, and interrupts another test.
    """
    for alias in brokers.built():
        brokers[alias].lease.drop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Start the database server, if Django needs one, before Django asks for it."""
    if on_postgres():
        request.getfixturevalue("postgres")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
) -> None:
    """Make the database also when no chosen test is marked with django_db.

    pytest-django makes only what the marks ask for; the conformance suite has none,
    since the flush after a marked test would sign its workers off. Nobody drops it:
    the file or the server goes with the run, and a thread may be connected still.
    """
    with django_db_blocker.unblock():
        setup_databases(verbosity=0, interactive=False, aliases={"default"})
