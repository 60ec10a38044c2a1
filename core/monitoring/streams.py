"""How the runs of a page are found, the newest first, at a cost that is bounded.

By an index in that order, if one leads to just what the filters mean. Else among the
next so many runs of such an index; or among all that have not ended, which are few.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from core.models import ACTIVE, Run, State
from core.monitoring.filters import select
from core.monitoring.moments import written

#: Runs examined for one page.
LOOKED = 5_000
#: The order of a page, which also bounds it, whichever index is used.
PERIOD = ("since", "until")
#: States that share one index by creation.
UNWELL = (State.DEAD, State.CANCELLED)

#: Some runs, and back to when they were looked for; None: to the first.
Stream = tuple[list[Run], datetime | None]


def streams(
    database: str, filters: Mapping[str, Any], older: Q, most: int
) -> Iterator[Stream]:
    """Find the newest that the filters mean and that are `older`, to be merged."""
    rows = select(database, filters).filter(older)
    state, actor = filters.get("state"), filters.get("actor_name")
    period = {name: filters[name] for name in PERIOD if name in filters}
    everything = select(database, period).filter(older)
    others = len(filters) - len(period)
    if state in ACTIVE:
        one = (state,)
        alone = others == 1
        found = list(rows[:most]) if alone else _active(rows, everything, most, one)
        yield found, None
    elif state in UNWELL:
        yield _next(rows, everything.filter(state=state), most, whole=others == 1)
    elif actor is None:
        yield _next(rows, everything, most, whole=not others)
    else:
        if state is None:
            yield _active(rows, everything, most, ACTIVE), None
        ended = Q(finished_at__isnull=False)
        index = everything.filter(ended, actor_name=actor)
        yield _next(rows.filter(ended), index, most, whole=others == 1)


def _next(
    rows: QuerySet[Run], index: QuerySet[Run], most: int, *, whole: bool
) -> Stream:
    """Find rows among the next ones of an index; `whole`: each of those fits."""
    moments = index.order_by("-created_at").values_list("created_at", flat=True)
    if not whole:
        end = moments[LOOKED : LOOKED + 1].first()
        return list(_between(rows, end)[:most]), end
    # By both ends, lest the database walk along another index until it finds enough.
    ends = list(moments[:most])
    return list(_between(rows, ends[-1], ends[0])[:most]) if ends else [], None


def _active(
    rows: QuerySet[Run], everything: QuerySet[Run], most: int, states: Sequence[str]
) -> list[Run]:
    """Find runs of active states: among the newest of all, or of all that are in them.

    By their creation alone, the database would look at all that has ended as well
    until it has found enough: for a rare actor, at a million runs.
    """
    active = rows.filter(state__in=states)
    found, end = _next(active, everything, most, whole=False)
    if len(found) < most and end is not None:
        by_state = Coalesce(F("created_at"), F("due_at"))
        ordered = rows.order_by(by_state.desc(), "-pk")
        found = [run for one in states for run in ordered.filter(state=one)[:most]]
    return found


def _between(
    rows: QuerySet[Run], start: datetime | None, end: datetime | None = None
) -> QuerySet[Run]:
    if start is not None:
        rows = rows.filter(created_at__gte=written(rows.db, start)[0])
    if end is not None:
        rows = rows.filter(created_at__lte=written(rows.db, end)[1])
    return rows
