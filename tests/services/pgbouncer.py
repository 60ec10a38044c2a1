"""PgBouncer in transaction mode: a connection pooler without deadlines of its own."""

from pathlib import Path

from tests.services.postgres import Postgres, Unprivileged

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


class PgBouncer(Unprivileged):
    """A pooler before a server."""

    name = "pgbouncer"

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        super().__init__(folder)
        self._postgres = postgres
        self._own = self.own_folder()

    def command(self) -> list[str]:
        """Return the command line."""
        return ["/usr/sbin/pgbouncer", str(self._own / "pgbouncer.ini")]

    def prepare(self) -> None:
        """Write its configuration where the other user can read it."""
        text = CONFIG.format(postgres=self._postgres.port, port=self.port)
        (self._own / "pgbouncer.ini").write_text(text)

    def litter(self) -> Path | None:
        """Return the folder of its configuration."""
        return self._own
