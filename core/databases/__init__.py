"""Database connections: deadlines, locks, silence."""

from collections.abc import Mapping

#: OPTIONS of a PostgreSQL database, in libpq's words. A server that has gone without a
#: word is noticed within 15 s, at every step: while connecting, while idle, with a
#: statement on its way, or with its reply awaited.
DEADLINES: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 5,
    "tcp_user_timeout": 15_000,
}
