"""The embedded broker is there for every command, and for no longer."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.embedded import embedded_valkey
from settings.brokers import embedded_socket
from tests.services.waiting import wait_for

PROJECT = Path(__file__).parents[2]
#: Starts a server and waits to be killed.
STARTER = """
import sys
from pathlib import Path
from project.embedded import embedded_valkey
with embedded_valkey(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def shut_down(url: str) -> None:
    with client_of(url) as client:
        client.shutdown()


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.mark.parametrize("name", ["var", "v a+r#%41?", "deep/" * 30])
def test_server_runs_while_it_is_needed(name: str, tmp_path: Path) -> None:
    with embedded_valkey(tmp_path / name) as url, client_of(url) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    with pytest.raises(redis.ConnectionError):
        client_of(url).ping()
    assert not embedded_socket(tmp_path / name).exists()


def test_embedded_server_keeps_its_data(var: Path) -> None:
    with embedded_valkey(var) as url, client_of(url) as client:
        client.set("key", "value")
    with embedded_valkey(var) as url, client_of(url) as client:
        assert client.get("key") == b"value"


def test_second_command_shares_the_server_of_the_first(var: Path) -> None:
    with embedded_valkey(var) as first:
        with embedded_valkey(var) as second:
            assert second == first
        assert client_of(first).ping()


def test_server_of_a_killed_command_is_found_and_shared(var: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(var)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    starter.send_signal(signal.SIGKILL)
    starter.communicate()
    with embedded_valkey(var) as found:
        assert found == url
        assert client_of(found).ping()
    shut_down(url)


def test_server_that_was_killed_is_started_anew(var: Path) -> None:
    with embedded_valkey(var) as url:
        shut_down(url)
    with embedded_valkey(var) as url:
        wait_for(lambda: client_of(url).ping(), 30, "the server answers")
