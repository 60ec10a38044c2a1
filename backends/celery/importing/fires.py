"""When Celery itself would fire: asked of its own schedule objects, by their clock."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import BaseSchedule

SECOND = timedelta(seconds=1)
#: A schedule that stays in the past for this many steps is given up.
STUCK = 1000


def twin(schedule: BaseSchedule) -> BaseSchedule:
    """Return the same schedule, to be given a clock; `copy` would lose its app."""
    made = object.__new__(type(schedule))
    vars(made).update(vars(schedule))
    return made


def after(schedule: BaseSchedule) -> Callable[[datetime], Iterator[datetime]]:
    """Return its fires after a moment, if Beat is never late."""
    return lambda moment: _fires(schedule, moment)


def counted(schedule: Any, since: datetime) -> Callable[[datetime], Iterator[datetime]]:
    """Return the fires of an interval that are counted from one at `since`."""

    def fires(moment: datetime) -> Iterator[datetime]:
        steps = (moment - since) // schedule.run_every
        last = since + steps * schedule.run_every
        return (fire for fire in _fires(schedule, last) if fire > moment)

    return fires


def _fires(schedule: BaseSchedule, last: datetime) -> Iterator[datetime]:
    asked = twin(schedule)
    stuck = 0
    while stuck < STUCK:
        last = last.astimezone(asked.tz)  # as Beat's own clock tells it
        asked.nowfun = lambda moment=last: moment
        try:
            rest = asked.remaining_estimate(last)
        except (OverflowError, RuntimeError):
            return  # the calendar ends
        stuck = 0 if rest > timedelta(0) else stuck + 1
        last = last.astimezone(UTC) + max(rest, SECOND)
        if not stuck:
            yield last


def bounded(
    fires: Callable[[datetime], Iterator[datetime]],
    start: datetime | None,
    end: datetime | None,
    *,
    at_start: bool,
) -> Callable[[datetime], Iterator[datetime]]:
    """Return the fires from a start until before an end.

    `at_start`: Celery believes that a fire was missed before, and fires there as well.
    """

    def within(moment: datetime) -> Iterator[datetime]:
        if start is not None and start > moment:
            if at_start:
                yield start
            moment = start
        for fire in fires(moment):
            if end is not None and fire >= end:
                return
            yield fire

    return within
