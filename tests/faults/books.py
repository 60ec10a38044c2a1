"""What the database says, read with plain SQL: a witness with no code of ours."""

import sqlite3
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg

#: References of orders with what they gave: stock movements, records of mails.
_ORDERS = """
    SELECT o.reference,
        (SELECT count(*) FROM shop_stockmovement m WHERE m.order_id = o.id),
        (SELECT count(*) FROM shop_reportmail r WHERE r.order_id = o.id)
    FROM shop_order o
"""
_ENDED = ("succeeded", "dead", "cancelled")


@dataclass(frozen=True, slots=True)
class Traces:
    """What one order left in the append-only tables."""

    movements: int
    mails: int


class Books:
    """One scenario's database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        if self.url.startswith("sqlite:///"):
            connection: Any = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        else:
            connection = psycopg.connect(self.url, connect_timeout=5)
        try:
            return list(connection.execute(sql).fetchall())
        finally:
            connection.close()

    def number(self, sql: str) -> int:
        """Return the one number that a query gives."""
        return int(self.rows(sql)[0][0] or 0)

    def orders(self) -> dict[str, Traces]:
        """Return every order with its traces, by its reference in hex."""
        return {
            str(reference).replace("-", ""): Traces(movements, mails)
            for reference, movements, mails in self.rows(_ORDERS)
        }

    def at_work(self) -> list[str]:
        """Return the names of the workers that have started a run and not ended it."""
        sql = "SELECT DISTINCT worker FROM core_run WHERE state = 'running'"
        return [str(row[0]) for row in self.rows(sql)]

    def states(self) -> Counter[str]:
        """Count the runs by state."""
        found = self.rows("SELECT state, count(*) FROM core_run GROUP BY state")
        return Counter(dict(found))  # type: ignore[arg-type]  # rows are pairs here

    def open_runs(self) -> int:
        """Count the runs that have not ended."""
        return sum(n for state, n in self.states().items() if state not in _ENDED)

    def workers(self, supervisor: int) -> int:
        """Count the consuming workers that a supervisor's processes have signed on."""
        return self.number(
            "SELECT count(*) FROM core_worker WHERE slots > 0"  # noqa: S608  # a number
            f" AND supervisor LIKE '{supervisor:d}-%'"
        )
