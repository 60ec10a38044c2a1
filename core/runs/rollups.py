"""Counting what has ended, by the clock: each end once, however many count at once.

A minute is counted when nothing can be added to it any more: some seconds after its
end, and once every transaction has ended that changed runs and had begun before.
"""

from datetime import UTC, datetime, timedelta

from django.db import connections, transaction
from django.db.models import Min
from django.db.models.functions import Now

from core.models import RolledUp, Run
from core.runs.tally import ENDED, count, keep

#: A minute is counted this long after its end: what settles a run has its time when it
#: arrives at the database, and its locks a moment later.
LAG = timedelta(seconds=5)
#: Most seconds that an open transaction is waited for.
PATIENCE = timedelta(minutes=10)
#: The period that is counted in one transaction.
CHUNK = timedelta(hours=1)
# Whoever has changed runs holds this lock until its commit, and the commit is seen
# before the lock is let go. Whom we may not see may have been here for long.
_OLDEST_WRITER = """
    SELECT MIN(COALESCE(activity.xact_start, now() - interval '1 hour'))
    FROM pg_locks AS held
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
    WHERE held.locktype = 'relation' AND held.relation = 'core_run'::regclass
        AND held.database = (
            SELECT oid FROM pg_database WHERE datname = current_database()
        )
        AND held.mode = 'RowExclusiveLock' AND held.pid <> pg_backend_pid()
"""


def roll_up(database: str, broker: str) -> bool:
    """Count the ends of the next minutes, an hour at most; say whether more is due.

    Whoever comes while another one counts has nothing to do.
    """
    now, until = _clock(database, broker)
    if until is None:
        _begin(database, broker, now)
    elif _minute(now - LAG) <= until:
        return False
    known = RolledUp.objects.using(database).filter(broker=broker)
    with transaction.atomic(using=database):
        locked = known.select_for_update(skip_locked=True).first()
        if locked is None:
            return False
        complete = _complete(database, now)
        end = min(complete, _minute(locked.until) + CHUNK)
        if end <= locked.until:
            return False
        keep(database, broker, count(database, broker, locked.until, end))
        known.update(until=end)
    return end < complete


def rolled_up(database: str, broker: str) -> datetime | None:
    """Return until when the ends are counted; None: nobody has begun."""
    return _clock(database, broker)[1]


def _clock(database: str, broker: str) -> tuple[datetime, datetime | None]:
    """Return the database's time, and until when the ends are counted."""
    known = RolledUp.objects.using(database).filter(broker=broker)
    for now, until in known.values_list(Now(), "until"):
        return now, until
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (now,) = cursor.fetchone()
    if isinstance(now, str):  # SQLite
        now = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return now, None


def _begin(database: str, broker: str, now: datetime) -> None:
    """Note where to begin: at the first end that there is."""
    ended = Run.objects.using(database).filter(broker=broker, state__in=ENDED)
    first = ended.aggregate(first=Min("finished_at"))["first"]
    start = RolledUp(broker=broker, until=_minute(min(first or now, now) - LAG))
    RolledUp.objects.using(database).bulk_create([start], ignore_conflicts=True)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _complete(database: str, now: datetime) -> datetime:
    """Return the end of the last minute to which nothing can be added any more."""
    bound = now - LAG
    if connections[database].vendor == "postgresql":
        with connections[database].cursor() as cursor:
            cursor.execute(_OLDEST_WRITER)
            (oldest,) = cursor.fetchone()
        if oldest is not None:
            bound = max(min(bound, oldest), now - PATIENCE)
    return _minute(bound)
