"""A thread's connections, before and after a body: the next one finds them whole."""

import time
from collections.abc import Collection
from contextlib import suppress

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import TransactionManagementError

#: What libpq calls a session without a transaction, and one that is not there.
CALM = (0, 4)


def refresh(database: str) -> None:
    """Do what Django does between requests, but ask `database` nothing.

    If its connection is dead without our knowing, the claim fails on it, which is tried
    again on a new one.
    """
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            # Of the sender, who delivers in process: closed, it would lose its work.
            continue
        too_old = connection.close_at is not None and (
            time.monotonic() >= connection.close_at
        )
        if connection.alias != database or connection.errors_occurred or too_old:
            connection.close_if_unusable_or_obsolete()


def in_transaction() -> Collection[str]:
    """Return the aliases on which a transaction is open in this thread."""
    here = connections.all(initialized_only=True)
    return {connection.alias for connection in here if _is_open(connection)}


def roll_back(before: Collection[str]) -> TransactionManagementError | None:
    """Roll back what is open now and was not before; return the error to fail with.

    Left open, it would swallow what later bodies of this thread write, and their
    successes, and on SQLite keep everyone else from writing.
    """
    left = [alias for alias in in_transaction() if alias not in before]
    for alias in left:
        connection = connections[alias]
        connection.in_atomic_block = False  # or closing would leave it half open
        with suppress(Error):
            connection.close()
    if not left:
        return None
    return TransactionManagementError(
        f"The body left a transaction open on {', '.join(map(repr, sorted(left)))}:"
        " what it had written there was rolled back. Use transaction.atomic(), and turn"
        " autocommit on again before you return."
    )


def _is_open(connection: BaseDatabaseWrapper) -> bool:
    raw = connection.connection
    if raw is None:
        return False
    if connection.in_atomic_block:
        return True
    if connection.get_autocommit() != connection.settings_dict["AUTOCOMMIT"]:
        return True
    if connection.vendor == "sqlite":
        return bool(raw.in_transaction)
    if connection.vendor == "postgresql":
        return raw.info.transaction_status not in CALM
    return False
