"""The servers of the tests start, fall silent, come back and leave nothing behind."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pika
import psutil
import psycopg
import pytest
import redis

from tests.services import install
from tests.services.environment import free_port
from tests.services.postgres import Postgres
from tests.services.rabbitmq import RabbitMQ
from tests.services.server import Server, alive
from tests.services.smtp import SmtpServer
from tests.services.valkey import Valkey
from tests.services.waiting import wait_for

PROJECT = Path(__file__).parents[2]
SERVERS = [
    Valkey,
    pytest.param(Postgres, marks=pytest.mark.slow),
    pytest.param(RabbitMQ, marks=pytest.mark.slow),
]
#: Starts a server in a process of its own, which then waits to be killed.
STARTER = """
import sys
from pathlib import Path
from tests.services.{module} import {name}
server = {name}(Path(sys.argv[1]))
server.start()
print(server.pid, server.port, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with request.param(tmp_path) as started:
        yield started


def belonging_to(folder: Path) -> list[psutil.Process]:
    """Return the processes that name a folder in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(process)
    return found


def test_server_survives_silence_and_death(server: Server) -> None:
    server.freeze()
    assert not server.answers()
    server.thaw()
    assert server.answers()
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()


def test_stopped_server_leaves_no_process(server: Server, tmp_path: Path) -> None:
    family = server.family()
    server.stop()
    assert not any(map(alive, family))
    assert belonging_to(tmp_path) == []


@pytest.mark.parametrize("server_class", SERVERS)
def test_server_ends_with_the_tests_that_were_killed(
    server_class: type[Server], tmp_path: Path
) -> None:
    code = STARTER.format(
        module=server_class.__module__.rpartition(".")[2], name=server_class.__name__
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert starter.stdout is not None
    server = psutil.Process(int(starter.stdout.readline().split()[0]))
    family = [server, *server.children(recursive=True)]
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    wait_for(lambda: not any(map(alive, family)), 20, "the server ends")
    wait_for(lambda: belonging_to(tmp_path) == [], 20, "nothing is left")


def test_valkey_keeps_its_data_when_killed(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        server.kill()
        server.start()
        assert client.get("key") == b"value"


def test_alarmed_valkey_refuses_to_write(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        server.alarm()
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            client.set("key", "value")
        server.clear_alarm()
        assert client.set("key", "value")


@pytest.mark.slow
def test_rabbitmq_keeps_its_messages_and_its_alarm_blocks(rabbitmq: RabbitMQ) -> None:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True)
        persistent = pika.BasicProperties(delivery_mode=2)
        channel.basic_publish("", "kept", b"body", persistent)
    rabbitmq.stop()
    rabbitmq.start()
    blocked: list[object] = []
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        connection.add_on_connection_blocked_callback(lambda *frame: blocked.append(1))
        connection.add_on_connection_unblocked_callback(lambda *frame: blocked.clear())
        rabbitmq.alarm()
        channel = connection.channel()
        channel.basic_publish("", "kept", b"other")
        connection.process_data_events(10)
        assert blocked
        rabbitmq.clear_alarm()
        connection.process_data_events(10)
        assert not blocked
        assert channel.queue_purge("kept").method.message_count >= 1


@pytest.mark.slow
def test_postgres_takes_many_connections_and_writes_to_disk(tmp_path: Path) -> None:
    with Postgres(tmp_path) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_mail_server_keeps_what_it_receives() -> None:
    server = SmtpServer()
    server.start()
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("shop@example.org", ["ann@example.org"], "Subject: Hi\n\nyou")
    server.stop()
    assert [mail["Subject"] for mail in server.to("ann@example.org")] == ["Hi"]
    assert server.to("bob@example.org") == []
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", server.port)


def test_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    port = free_port()
    with Valkey(tmp_path / "one", port):
        second = Valkey(tmp_path / "two", port)
        second.answers = lambda: False  # type: ignore[method-assign]  # the first does
        with pytest.raises(RuntimeError, match="valkey ended with 1") as error:
            second.start()
    assert "Address already in use" in error.value.__notes__[0]


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PACKAGES", {"no-such-server": "usr/no/such/file"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="apt-get install no-such-server"):
        install.main()


def test_services_stay_down_while_their_packages_are_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(install, "POLICY", policy)
    with install.services_stay_down():
        assert subprocess.run([policy]).returncode == 101
    assert not policy.exists()
