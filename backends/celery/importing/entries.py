"""Converting a schedule entry of Celery, from either source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import BaseSchedule, schedule, solar

from backends.celery.importing import fires
from backends.celery.importing.triggers import trigger_of
from core import scheduled
from core.schedules import Fires, Foreign
from core.triggers import MOMENT, Scheduled, Trigger

#: Time between two computations of one event of the sun that is no difference.
SUN = timedelta(minutes=1)


@dataclass(frozen=True)
class Entry:
    """One entry of Celery's, whatever it was read from."""

    name: str
    task: str
    args: Any = ()
    kwargs: Any = field(default_factory=dict)
    #: As of `apply_async`.
    options: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    one_off: bool = False
    start: datetime | None = None
    end: datetime | None = None
    last_run: datetime | None = None

    def of(self, given: BaseSchedule, now: datetime) -> Foreign:
        """Return it with what `given` means here, or with what is wrong with it."""
        since = self.last_run or self.start or now
        try:
            trigger = trigger_of(given, since)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            return self.refused(str(error))
        if isinstance(given, schedule):
            own = fires.counted(given, since.replace(microsecond=0))
            drift = _drift(known=self.last_run is not None)
            return self.at(trigger, own, drift)
        # Celery places the sun by another library.
        tolerance = SUN if isinstance(given, solar) else timedelta(0)
        return self.at(trigger, fires.after(given), tolerance=tolerance)

    def at(
        self,
        trigger: Trigger,
        own: Fires | None,
        note: str = "",
        tolerance: timedelta = timedelta(0),
    ) -> Foreign:
        """Return it with the times of a trigger; `own` are Celery's."""
        try:
            options, end, notes = _options(self.options)
            end = min((e for e in (self.end, end) if e is not None), default=None)
            said = self._said(trigger, options, end)
        except (ValueError, TypeError) as error:
            return self.refused(str(error))
        if own is not None:
            missed = self.start is not None and self.last_run is None
            own = fires.bounded(own, self.start, end, at_start=missed)
        return Foreign(
            self.name,
            self.task,
            said,
            paused=not self.enabled,
            notes=(*([note] if note else ()), *notes),
            theirs=own,
            tolerance=tolerance,
        )

    def _said(
        self, trigger: Trigger, options: dict[str, Any], end: datetime | None
    ) -> Scheduled:
        return scheduled(
            trigger,
            args=self.args or (),
            kwargs=dict(self.kwargs or {}),
            options=options,
            start=self.start,
            end=None if end is None else end - MOMENT,
            max_fires=1 if self.one_off else None,
        )

    def refused(self, why: str) -> Foreign:
        """Return it with the reason why it cannot be taken over."""
        return Foreign(self.name, self.task, problem=why)


def _drift(*, known: bool) -> str:
    """Tell of what no comparison shows: Beat's delays."""
    counted = "its last run" if known else "Beat's start"
    return f"Celery counts from {counted} and adds every delay of Beat; here none is"


def _options(
    given: Mapping[str, Any],
) -> tuple[dict[str, Any], datetime | None, list[str]]:
    """Return ours, an end, and what cannot be said."""
    left = {name: value for name, value in given.items() if value is not None}
    options: dict[str, Any] = {}
    end, notes = None, []
    queue, expires = left.pop("queue", None), left.pop("expires", None)
    if queue:
        options["queue_name"] = str(getattr(queue, "name", queue))
    if isinstance(expires, datetime):
        end = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    elif expires is not None:
        options["max_age"] = _milliseconds(expires)
    if countdown := left.pop("countdown", None):
        options["delay"] = _milliseconds(countdown)
    if (priority := left.pop("priority", None)) is not None:
        notes.append(
            f"priority {priority} is left out: with Celery larger is more urgent on"
            " RabbitMQ and less urgent on Redis, here smaller is"
        )
    if left:
        notes.append(f"left out, there is nothing like it here: {', '.join(left)}")
    return options, end, notes


def _milliseconds(seconds: Any) -> int:
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    return round(float(seconds) * 1000)
