"""Schedules: what is said of each, and how far it has come."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.errors import CoreError, InvalidOption, InvalidTrigger
from core.models.exact import ExactEncoder
from core.options import MAX_NAME
from core.registry import registry
from core.schedulable import check
from core.triggers import MOMENT, At, Scheduled, Timetable, Trigger, read, version


class Origin(models.TextChoices):
    """The origin of a schedule."""

    ADMIN = "admin"
    CODE = "code"  # @actor(schedule=...)
    SETTINGS = "settings"  # SCHEDULES


class Missed(models.TextChoices):
    """Which slots fire that nobody was there for."""

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Overlap(models.TextChoices):
    """The rule for a slot while a run of an earlier one has not ended."""

    ALLOW = "allow"
    SKIP = "skip"
    QUEUE = "queue"
    CANCEL_OTHER = "cancel_other"


#: What somebody says. A save writes these alone, never what the registry keeps.
SAID = (
    *("name", "actor_name", "args", "kwargs", "options", "trigger"),
    *("start_at", "end_at", "excluded", "max_fires", "missed", "missed_max"),
    *("window", "overlap", "jitter", "pause_after", "paused", "origin", "retired_at"),
)


class Schedule(models.Model):
    """When an actor is sent, and with what. An edit is live at the next tick.

    Only `core.schedules` writes what is not said: from `digest` on.
    """

    name = models.CharField(max_length=MAX_NAME, unique=True)
    actor_name = models.CharField(max_length=MAX_NAME)
    args = models.JSONField(encoder=ExactEncoder, default=list, blank=True)
    kwargs = models.JSONField(encoder=ExactEncoder, default=dict, blank=True)
    options = models.JSONField(
        encoder=ExactEncoder, default=dict, blank=True, help_text="Options of the send."
    )
    trigger = models.JSONField(
        help_text='Such as {"kind": "crontab", "expr": "0 0 * * *"}.'
    )
    start_at = models.DateTimeField(null=True, blank=True, help_text="Inclusive.")
    end_at = models.DateTimeField(null=True, blank=True, help_text="Inclusive.")
    excluded = models.JSONField(
        default=list, blank=True, help_text="Dates in its zone, such as 2026-12-24."
    )
    max_fires = models.PositiveIntegerField(null=True, blank=True)
    missed = models.CharField(
        max_length=6, choices=Missed.choices, default=Missed.LATEST
    )
    missed_max = models.PositiveIntegerField(
        null=True, blank=True, help_text='The most for missed="all".'
    )
    window = models.DurationField(
        null=True, blank=True, help_text="Older missed slots do not fire."
    )
    overlap = models.CharField(
        max_length=12, choices=Overlap.choices, default=Overlap.ALLOW
    )
    jitter = models.DurationField(
        default=timedelta, blank=True, help_text="Runs start up to this much later."
    )
    pause_after = models.PositiveIntegerField(
        null=True, blank=True, help_text="Pause after this many failures in a row."
    )
    paused = models.BooleanField(default=False)
    origin = models.CharField(
        max_length=8, choices=Origin.choices, default=Origin.ADMIN, editable=False
    )
    retired_at = models.DateTimeField(
        null=True, editable=False, help_text="No longer declared since."
    )
    digest = models.CharField(max_length=64, editable=False)
    zones = models.CharField(
        max_length=20, editable=False, help_text="Version of the zone database."
    )
    after = models.DateTimeField(
        editable=False, help_text="Slots after this are undecided."
    )
    next_at = models.DateTimeField(
        null=True, editable=False, help_text="The next look; null: finished."
    )
    paused_from = models.DateTimeField(
        null=True, editable=False, help_text="The first slot skipped by a pause."
    )
    failures_from = models.DateTimeField(
        null=True, editable=False, help_text="Earlier failures do not count."
    )
    fires = models.PositiveIntegerField(default=0, editable=False)
    error = models.TextField(blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"],
                name="core_schedule_due",
                condition=Q(next_at__isnull=False),
            )
        ]
        permissions = [
            ("pause_schedule", "Can pause and resume schedule"),
            ("run_schedule", "Can run schedule now"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.when}"

    def save(self, *args: Any, **options: Any) -> None:
        """Write what is said; the next tick looks at it.

        New slots count from now on, and what the registry keeps stays untouched.
        Raises `CoreError` for what cannot be.
        """
        changed = self._look_again()
        if not self._state.adding:
            given = options.pop("update_fields", None)
            options["update_fields"] = {*(SAID if given is None else given), *changed}
        super().save(*args, **options)
        self.refresh_from_db(fields=changed)

    def _look_again(self) -> list[str]:
        """Have the next tick look; return which fields have changed by that."""
        said = self.said
        self.next_at = None if self.retired_at else Now()
        digest = self.timetable(said).digest
        if digest == self.digest:
            return ["next_at"]
        self.digest, self.zones = digest, version()
        # A single moment is not dropped for having been written late.
        once = said.trigger
        self.after = once.slot - MOMENT if isinstance(once, At) else Now()
        return ["next_at", "digest", "zones", "after"]

    @property
    def when(self) -> Trigger:
        """Its trigger as a value."""
        return read(self.trigger)

    def timetable(self, said: Scheduled) -> Timetable:
        """Return its slots; `said` is what it says."""
        bounds = (said.start, said.end, said.excluded)
        return Timetable(said.trigger, self.name, *bounds)

    @property
    def said(self) -> Scheduled:
        """The trigger that it says, checked; raises `InvalidTrigger`."""
        for name, kind in (("args", list), ("kwargs", dict), ("options", dict)):
            if not isinstance(getattr(self, name), kind):
                expected = f"{name} must be a {kind.__name__}"
                raise InvalidTrigger(repr(getattr(self, name)), expected)
        return Scheduled(
            self.when,
            self.name,
            tuple(self.args),
            self.kwargs,
            self.options,
            self.start_at,
            self.end_at,
            frozenset(_date(day) for day in self.excluded),
            self.max_fires,
            self.missed,  # type: ignore[arg-type]  # Scheduled checks it
            self.missed_max,
            self.window,
            self.overlap,  # type: ignore[arg-type]  # Scheduled checks it
            self.jitter,
            self.pause_after,
        )

    @property
    def is_declared(self) -> bool:
        """Return True if code or settings declare it: then people may only pause it."""
        return self.origin != Origin.ADMIN

    def clean(self) -> None:
        """Refuse what cannot be, and an edit of what code says."""
        try:
            self._check_actor(self.said)
        except (CoreError, ValueError, TypeError) as error:
            raise ValidationError(str(error)) from None
        if self.is_declared and (changed := self._changed()):
            raise ValidationError(
                f"{self.name} is declared in {self.origin}: change"
                f" {', '.join(changed)} there. Here it can be paused."
            )

    def _check_actor(self, said: Scheduled) -> None:
        actor = registry.get(self.actor_name)
        if not (self.is_declared or actor.options.get("schedulable")):
            why = "one with @actor(schedulable=True)"
            raise InvalidOption("actor_name", self.actor_name, why)
        check(actor, said)

    def _changed(self) -> list[str]:
        known = type(self).objects.filter(pk=self.pk).values(*SAID).first() or {}
        return [
            name
            for name, value in known.items()
            if name != "paused" and value != getattr(self, name)
        ]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidTrigger(str(text), "a date is written as 2026-12-24") from None
