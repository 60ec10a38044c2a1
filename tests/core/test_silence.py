"""A database that has stopped answering: who waits for it has an error, and goes on."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.db import ConnectionHandler, OperationalError

from core.databases.silence import IDLE_SECONDS, LOOK_SECONDS, Watch
from settings.databases import database
from tests.faults.proxy import Proxy
from tests.faults.rig import at_port
from tests.services.postgres import Postgres
from tests.services.waiting import PATIENCE, in_time, wait_for

pytestmark = pytest.mark.slow

SILENT_SECONDS = 2.0
#: A silent connection has been cut after so many seconds.
BOUND = SILENT_SECONDS + 3 * LOOK_SECONDS + IDLE_SECONDS


@pytest.fixture(autouse=True)
def _other_database(django_db_blocker: Any) -> Iterator[None]:
    """Ask a database that is not the tests' own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with Proxy(postgres.port) as here:
        yield here


@pytest.fixture
def far(postgres: Postgres, proxy: Proxy) -> ConnectionHandler:
    """The database on the other side of the proxy."""
    return ConnectionHandler({"default": database(at_port(postgres.url, proxy.port))})


@pytest.fixture
def watch(far: ConnectionHandler) -> Watch:
    """Looks when it is told to."""
    return Watch(SILENT_SECONDS)


def ask(far: ConnectionHandler, watch: Watch, sql: str, ready: Any, go: Any) -> Any:
    """Ask in a thread, on a connection that was there before; return the answer."""
    connection = far["default"]
    with closing(connection), connection.cursor() as cursor:
        watch.note(connection)
        ready.set()
        assert go.wait(30)
        cursor.execute(sql)
        return cursor.fetchone()


def asked(far: ConnectionHandler, watch: Watch, sql: str) -> Any:
    """Return the future of an answer, and what lets the question go."""
    ready, go = threading.Event(), threading.Event()
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(ask, far, watch, sql, ready, go)
    pool.shutdown(wait=False)
    assert ready.wait(30)
    return answer, go


def looking(watch: Watch, answer: "Future[Any]", seconds: float) -> bool:
    """Look as the thread does, until there is an answer; say whether there is."""
    stop = threading.Event()
    for _ in range(round(seconds / LOOK_SECONDS)):
        if answer.done():
            return True
        watch.look()
        stop.wait(LOOK_SECONDS)
    return answer.done()


def test_silent_connection_is_cut_once_its_server_answers_again(
    far: ConnectionHandler, watch: Watch, proxy: Proxy
) -> None:
    answer, go = asked(far, watch, "SELECT 1")
    with proxy.black_hole():
        go.set()
        # Nobody can be asked about it: it may yet come.
        assert not looking(watch, answer, SILENT_SECONDS + 2 * LOOK_SECONDS)
    looked = 0

    def is_cut() -> bool:
        nonlocal looked
        looked += 1
        return looking(watch, answer, LOOK_SECONDS)

    wait_for(is_cut, 60, "the connection is cut")
    in_time(looked * LOOK_SECONDS, BOUND * PATIENCE, "cut")
    with pytest.raises(OperationalError):
        answer.result(0)


def test_lost_reply_is_noticed_like_a_lost_question(
    far: ConnectionHandler, watch: Watch, proxy: Proxy
) -> None:
    answer, go = asked(far, watch, "SELECT pg_sleep(1.5)")
    go.set()
    with proxy.black_hole():
        assert not looking(watch, answer, 3)
    wait_for(lambda: looking(watch, answer, LOOK_SECONDS), 60, "the connection is cut")
    with pytest.raises(OperationalError):
        answer.result(0)


def test_long_query_is_left_alone(far: ConnectionHandler, watch: Watch) -> None:
    seconds = 2 * SILENT_SECONDS + 1
    answer, go = asked(far, watch, f"SELECT 'there', pg_sleep({seconds})")
    go.set()
    wait_for(lambda: looking(watch, answer, LOOK_SECONDS), 3 * seconds, "the answer")
    assert answer.result(0)[0] == "there"


def test_unread_reply_is_no_silence(far: ConnectionHandler, watch: Watch) -> None:
    connection = far["default"]
    with closing(connection):
        connection.ensure_connection()
        watch.note(connection)
        line = connection.connection.pgconn
        line.send_query(b"SELECT 1")
        for _ in range(round(2 * SILENT_SECONDS / LOOK_SECONDS)):
            watch.look()
            threading.Event().wait(LOOK_SECONDS)
        line.consume_input()
        assert line.get_result().get_value(0, 0) == b"1"
