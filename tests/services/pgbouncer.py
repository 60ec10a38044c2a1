"""PgBouncer in transaction mode: a connection pooler without deadlines of its own."""

import os
import pwd
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import psycopg

from tests.services.postgres import Postgres, unprivileged
from tests.services.server import Server

CONFIG = """
[databases]
* = host=127.0.0.1 port={postgres} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
"""


class PgBouncer(Server):
    """A pooler before a server; as root it runs as `postgres`."""

    name = "pgbouncer"

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        super().__init__(folder)
        self._postgres = postgres
        self._own = Path(tempfile.mkdtemp(prefix="switchyard-pgbouncer-"))
        weakref.finalize(self, shutil.rmtree, self._own, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where clients find the server's first database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def command(self) -> list[str]:
        """Return the command line."""
        return ["/usr/sbin/pgbouncer", str(self._own / "pgbouncer.ini")]

    def credentials(self) -> dict[str, Any]:
        """Return another user if we are root."""
        owner: pwd.struct_passwd | None = unprivileged()
        if owner is None:
            return {}
        return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def prepare(self) -> None:
        """Write its configuration where the other user can read it."""
        text = CONFIG.format(postgres=self._postgres.port, port=self.port)
        (self._own / "pgbouncer.ini").write_text(text)
        if owner := unprivileged():
            os.chown(self._own, owner.pw_uid, owner.pw_gid)

    def litter(self) -> Path | None:
        """Return the folder of its configuration."""
        return self._own

    def answers(self) -> bool:
        """Return True if it passes a statement on."""
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True
