"""A schedule whose runs fail one after the other is paused before it fires again."""

import logging
from collections.abc import Sequence

from django.db.models.functions import Now

from core.counted import counted
from core.models import AuditEntry, Fire, Run, Schedule, State
from core.schedules.look import Look

logger = logging.getLogger(__name__)

#: The operator of the pause in the audit.
BY = "pause_after"
#: Runs that are read beyond those that must have failed: some may not have ended, or
#: have been cancelled, which says nothing.
MORE = 50


def pause_failing(database: str, looks: Sequence[Look]) -> None:
    """Pause those whose last `pause_after` runs are dead: their slots are skipped."""
    for look in looks:
        number = look.said.pause_after
        if number is None or not look.slots or look.row.paused:
            continue
        if _has_failed(database, look.row, number):
            _pause(database, look, number)


def _has_failed(database: str, row: Schedule, number: int) -> bool:
    fires = Fire.objects.using(database).filter(schedule=row, slot__isnull=False)
    if row.failures_from is not None:
        fires = fires.filter(decided_at__gt=row.failures_from)
    sent = fires.filter(run_id__isnull=False).order_by("-slot")
    newest = sent.values_list("run_id", flat=True)[: number + MORE]
    ids = [run_id for run_id in newest if run_id is not None]
    states = dict(
        Run.objects.using(database).filter(pk__in=ids).values_list("pk", "state")
    )
    # A run whose row is deleted already had succeeded: those that failed are kept.
    found = [states.get(run_id, State.SUCCEEDED) for run_id in ids]
    ended = [state for state in found if state in (State.SUCCEEDED, State.DEAD)]
    return ended[:number] == [State.DEAD] * number


def _pause(database: str, look: Look, number: int) -> None:
    row = look.row
    row.paused, row.failures_from = True, look.now
    row.error = f"Paused: its last {counted(number, 'run')} failed."
    Schedule.objects.using(database).filter(pk=row.pk).update(
        paused=True, failures_from=look.now
    )
    AuditEntry.objects.using(database).create(
        at=Now(), by=BY, verb="pause_schedules", target=row.name, changed=1
    )
    logger.error("Paused the schedule %s: its last %d runs failed.", row.name, number)
