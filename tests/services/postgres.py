"""PostgreSQL as it comes: nothing is confirmed before it is on disk, unless asked."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import Any

import psycopg

from tests.services.server import Server

#: Debian has a folder per version there.
VERSIONS = Path("/usr/lib/postgresql")


#: For rows that nobody will miss after a crash.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Unprivileged(Server):
    """A server of PostgreSQL's protocol; as root, it runs as `postgres`."""

    @property
    def url(self) -> str:
        """Where clients find the first database, whose owner may do everything."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def credentials(self) -> dict[str, Any]:
        """Return another user if we are root."""
        owner = unprivileged()
        if owner is None:
            return {}
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def own_folder(self) -> Path:
        """Return a new folder of that user's, which goes with this object.

        Not in ours: the other user could not reach it below pytest's own.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"switchyard-{self.name}-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        if owner := unprivileged():
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        return folder

    def answers(self) -> bool:
        """Return True if it executes a statement."""
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


class Postgres(Unprivileged):
    """A database server.

    With `careless` it waits for no disk: Django empties every table after a test.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # ends the sessions; SIGTERM would wait for them

    def __init__(
        self, folder: Path, port: int | None = None, *, careless: bool = False
    ) -> None:
        super().__init__(folder, port)
        self._settings = ("max_connections=200", *(CARELESS if careless else ()))
        self._data: Path | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        command = [str(binaries() / "postgres"), "-D", str(self._data)]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        return [*command, *(f"-c{setting}" for setting in self._settings)]

    def prepare(self) -> None:
        """Make the database cluster, once."""
        if self._data is not None:
            return
        self._data = self.own_folder()
        command = [str(binaries() / "initdb"), "-D", str(self._data), "-U", "postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        subprocess.run(
            command, cwd="/", check=True, capture_output=True, **self.credentials()
        )

    def litter(self) -> Path | None:
        """Return the folder of the data."""
        return self._data


def binaries() -> Path:
    """Return the folder of the newest server installed."""
    found = [path for path in VERSIONS.glob("*/bin") if (path / "initdb").exists()]
    if not found:
        raise FileNotFoundError(
            "PostgreSQL is missing: run python -m tests.services.install as root."
        )
    return max(found, key=lambda path: int(path.parent.name))


def unprivileged() -> pwd.struct_passwd | None:
    """Return who the server runs as, if not as ourselves."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None
