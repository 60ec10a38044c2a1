"""The audit: who has done what, on what, when, and how much it changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core.errors import InvalidOption
from core.models import AuditEntry
from core.options import MAX_NAME

T = TypeVar("T")

#: Characters of a target; a whole page of ids is told by how many they are.
LONGEST_TARGET = 500


class Account:
    """The row of one call, written with its first change, counted up with each other.

    Each in the transaction of the change: a process that is killed between two of them
    has told exactly what it has done. One row in each database that was changed, which
    is one; a call that changed nothing has its row in the first of `databases`.
    """

    def __init__(
        self, by: str, verb: str, target: str, databases: Iterable[str]
    ) -> None:
        self._said = {
            "by": by[:MAX_NAME],
            "verb": verb,
            "target": shortened(target),
        }
        self._first = next(iter(databases))
        self._rows: dict[str, int] = {}

    def step(
        self, database: str, change: Callable[[], T], size: Callable[[T], int]
    ) -> T:
        """Make a change and tell how large it was, in one transaction."""
        with transaction.atomic(using=database):
            found = change()
            changed = size(found)
            row = self._note(database, changed) if changed else None
        if row is not None:
            self._rows[database] = row
        return found

    def steps(self, changes: Iterable[tuple[str, Callable[[], int]]]) -> int:
        """Make all changes of a call, each a database and a step; return their sum."""
        changed = sum(self.step(database, change, int) for database, change in changes)
        self.close()
        return changed

    def close(self) -> None:
        """Tell also of a call that changed nothing."""
        if not self._rows:
            self._rows[self._first] = self._note(self._first, 0)

    def _note(self, database: str, changed: int) -> int:
        rows = AuditEntry.objects.using(database)
        if database not in self._rows:
            return rows.create(at=Now(), changed=changed, **self._said).pk
        row = self._rows[database]
        rows.filter(pk=row).update(changed=F("changed") + changed)
        return row


def account(by: str, verb: str, target: str, databases: Iterable[str]) -> Account:
    """Open the account of a call; raise `InvalidOption` unless it says who."""
    if not isinstance(by, str) or not by.strip():
        raise InvalidOption("by", by, 'who does it, as "nightly clean-up" or a user')
    return Account(by, verb, target, databases)


def shortened(target: str) -> str:
    """Return the beginning of what is too long."""
    if len(target) <= LONGEST_TARGET:
        return target
    return target[: LONGEST_TARGET - 4] + " ..."


def ids(given: Iterable[str]) -> str:
    """Tell of ids: how many, and the first of them."""
    known = list(given)
    return f"{len(known)} ids: {', '.join(known[:10])}"


def filters(given: Mapping[str, str]) -> str:
    """Tell of filters as they were given."""
    return ", ".join(f"{name}={value}" for name, value in given.items()) or "all"
