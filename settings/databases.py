"""DATABASES from a URL."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from core.databases import DEADLINES
from settings.environment import Environment

#: SQLite as a server's database: readers beside one writer, and a transaction that
#: means to write waits for its turn at its start instead of failing in its middle.
SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def database(url: str) -> dict[str, Any]:
    """Return a DATABASES entry; connections are kept for a minute."""
    scheme = url.partition(":")[0]
    if scheme not in Environment.DB_SCHEMES:
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {scheme!r}; give sqlite:///path or"
            " postgres://user:password@host:port/name."
        )
    config: dict[str, Any] = {**Environment.db_url_config(url), "CONN_MAX_AGE": 60}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {**SQLITE, **config.get("OPTIONS", {})}
    else:
        config["CONN_HEALTH_CHECKS"] = True
    if config["ENGINE"] == "django.db.backends.postgresql":
        config["OPTIONS"] = {**DEADLINES, **config.get("OPTIONS", {})}
    return config


def sqlite_url(file: Path) -> str:
    """Return the URL of a file; its path may hold what means something in a URL."""
    return f"sqlite:///{quote(str(file))}"
