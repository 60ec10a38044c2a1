"""Slots that come while earlier runs of their schedule have not ended."""

from collections.abc import Collection, Sequence
from typing import Any

from core import runs
from core.models import ACTIVE, Fire, FireState, Run
from core.schedules.look import Look
from core.schedules.missed import REPLACED

#: Rows in one statement.
BATCH = 500


def mind_overlaps(database: str, looks: Sequence[Look]) -> None:
    """Skip, or let wait, what would overlap; cancel what must make way."""
    mindful = [look for look in looks if look.to_send and look.said.overlap != "allow"]
    if not mindful:
        return
    ids = [look.row.pk for look in mindful]
    _make_way(database, [x.row.pk for x in mindful if x.said.overlap == "cancel_other"])
    active = active_among(database, ids)
    waiting = Fire.objects.using(database).filter(
        schedule_id__in=ids, state=FireState.WAITING
    )
    held = set(waiting.values_list("schedule_id", flat=True))
    for look in mindful:
        look.mind_overlap(look.row.pk in active, look.row.pk in held)


def _make_way(database: str, ids: Sequence[Any]) -> None:
    """Cancel the runs of these schedules, and drop the slots that wait for them."""
    if not ids:
        return
    fires = Fire.objects.using(database).filter(schedule_id__in=ids)
    sent = fires.filter(is_open=True).values_list("run_id", flat=True)
    runs.cancel(database, [run for run in sent if run is not None])
    waiting = fires.filter(state=FireState.WAITING)
    waiting.update(state=FireState.SKIPPED, reason=REPLACED)


def active_among(database: str, ids: Collection[Any]) -> set[Any]:
    """Return which schedules have a run that has not ended; close the others' fires."""
    if not ids:
        return set()
    fires = Fire.objects.using(database).filter(schedule_id__in=ids, is_open=True)
    found = list(fires.values_list("pk", "schedule_id", "run_id"))
    active, ended = set(), []
    for start in range(0, len(found), BATCH):
        part = found[start : start + BATCH]
        going = set(
            Run.objects.using(database)
            .filter(pk__in=[run for _, _, run in part], state__in=ACTIVE)
            .values_list("pk", flat=True)
        )
        active |= {schedule for _, schedule, run in part if run in going}
        ended += [pk for pk, _, run in part if run not in going]
    for start in range(0, len(ended), BATCH):
        chunk = ended[start : start + BATCH]
        Fire.objects.using(database).filter(pk__in=chunk).update(is_open=False)
    return active
