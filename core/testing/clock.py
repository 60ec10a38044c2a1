"""Making time pass: the database's clock cannot be moved, but the rows can."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from core.broker.handler import brokers
from core.models import (
    Alert,
    AlertRound,
    Attempt,
    IdempotencyKey,
    Limit,
    Notice,
    RolledUp,
    Run,
)
from core.options import duration
from core.runs import NEVER

#: All that core compares with now, or with each other.
TIMES = (
    (Run, "relay_at created_at expires_at result_until started_at finished_at"),
    (Attempt, "started_at finished_at"),
    (Limit, "next_at"),
    (IdempotencyKey, "created_at"),
    (RolledUp, "until"),
    (Alert, "since firing_since clear_since last_sent resolved_at looked_at"),
    (AlertRound, "looked_at"),
    (Notice, "claimed_until created_at send_at sent_at"),
)


def advance_time(delta: timedelta | int) -> None:
    """Make everything as old as if `delta`, a timedelta or ms, had passed.

    Delays, retries, max_age, result_ttl, rate limits, remembered keys and
    alerts see it. Your own rows and Python's clock do not; nor do the leases of real
    workers.
    """
    passed = timedelta(milliseconds=duration("delta", delta))
    for database in brokers.databases():
        with transaction.atomic(using=database):
            _age(database, passed)


def _age(database: str, passed: timedelta) -> None:
    for model, names in TIMES:
        changes = {name: F(name) - passed for name in names.split()}
        model._default_manager.using(database).update(**changes)
    rows = Run.objects.using(database)
    rows.filter(due_at__lt=NEVER).update(due_at=F("due_at") - passed)
    # What waits for another run is told its eta when that one ends.
    for run in rows.filter(due_at__gte=NEVER, options__has_key="eta"):
        run.options["eta"] -= passed // timedelta(milliseconds=1)
        run.save(using=database, update_fields=["options"])
