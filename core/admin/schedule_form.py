"""The form of a schedule: what cannot be is refused as code refuses it."""

import re
from datetime import UTC, date
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import router

from core.admin.trigger_fields import (
    MAIN,
    TriggerForm,
    WallField,
    build,
    field_of,
    initial,
)
from core.broker.handler import brokers
from core.errors import InvalidTrigger
from core.models import Schedule
from core.registry import registry
from core.triggers import Trigger, every, zone
from core.triggers.zones import first_shown, shown

if TYPE_CHECKING:  # at run time Django's forms take no type argument
    ModelForm = forms.ModelForm[Schedule]
else:
    ModelForm = forms.ModelForm

#: Bounds of a schedule, as local times of its zone.
BOUNDS = ("start_at", "end_at")
_SMALL = {"rows": 2, "class": "vLargeTextField"}


class DaysField(forms.Field):
    """Dates, with commas or spaces between them."""

    widget = forms.Textarea(attrs=_SMALL)

    def prepare_value(self, value: Any) -> Any:
        """Write them on one line."""
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """Read them as 2026-12-24, 2026-12-25."""
        words = re.split(r"[\s,]+", str(value or "").strip())
        try:
            days = {date.fromisoformat(word).isoformat() for word in words if word}
        except ValueError:
            raise forms.ValidationError("A date is written as 2026-12-24.") from None
        return sorted(days)


class ScheduleForm(TriggerForm, ModelForm):
    """A schedule whose trigger is told by fields of its own."""

    actor_name = forms.ChoiceField(label="Actor")
    start_at = WallField(required=False, label="From", help_text="Inclusive.")
    end_at = WallField(required=False, label="Until", help_text="Inclusive.")
    excluded = DaysField(
        required=False,
        label="Not on",
        help_text="Dates, such as 2026-12-24, 2026-12-25.",
    )

    class Meta:
        model = Schedule
        fields = [
            *("name", "actor_name", "args", "kwargs", "options"),
            *("start_at", "end_at", "excluded", "max_fires"),
            *("missed", "missed_max", "window", "overlap", "jitter", "pause_after"),
        ]
        widgets = {
            name: forms.Textarea(_SMALL) for name in ("args", "kwargs", "options")
        }
        labels = {"args": "Arguments", "kwargs": "Keyword arguments"}
        help_texts = {
            "args": "JSON: [1, 2]",
            "kwargs": 'JSON: {"name": "value"}',
            "options": 'Options of the send as JSON: {"priority": -10}',
            "window": "Such as 01:30:00. Older missed slots do not fire.",
            "jitter": "Such as 00:05:00. Runs start up to this much later.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        #: Errors of the trigger, by field.
        self.refusal: InvalidTrigger | None = None
        #: The trigger of the fields, if they are valid.
        self.trigger: Trigger | None = None
        for field in self.fields.values():
            # What was changed is told by the row, not by what the browser remembers.
            field.show_hidden_initial = False
        if "actor_name" in self.fields:  # a page to read has none
            self.fields["actor_name"].choices = [("", "---"), *choices()]  # type: ignore[attr-defined]  # a ChoiceField
        if self.instance.pk is not None:
            self._show(self.instance)

    def _show(self, row: Schedule) -> None:
        when = row.when
        self.initial.update(initial(when))
        for name in BOUNDS:
            moment = getattr(row, name)
            self.initial[name] = moment and shown(moment, when.zone)

    def clean(self) -> dict[str, Any]:
        """Put the trigger together; dates and times are those of its zone."""
        given = super().clean() or self.cleaned_data
        try:
            zone(given.get("tz", "UTC"))
        except InvalidTrigger as error:
            self._refuse("tz", error)
        else:
            self._build(given)
            self._bound(given)
        # Without one the rest is checked with any.
        self.instance.trigger = (self.trigger or every(days=1)).asdict()
        return given

    def _build(self, given: dict[str, Any]) -> None:
        kind = given.get("kind", "crontab")
        main = MAIN[kind]
        needed = [main, *(["latitude", "longitude"] if kind == "solar" else [])]
        for name in needed:
            if name in given and given[name] in (None, ""):
                self.add_error(name, "This field is required.")
        if not set(self.errors) & {*TriggerForm.base_fields}:
            try:
                self.trigger = build(given)
            except InvalidTrigger as error:
                self._refuse(field_of(error, kind), error)

    def _refuse(self, field: str, error: InvalidTrigger) -> None:
        self.refusal = error
        self.add_error(field, str(error))

    def _bound(self, given: dict[str, Any]) -> None:
        tz = zone(given.get("tz", "UTC"))
        for name in BOUNDS:
            if given.get(name) is not None:
                given[name] = first_shown(given[name], tz)[0].astimezone(UTC)

    def _post_clean(self) -> None:
        """Have the row check the rest, if there is an actor to check it with."""
        if "actor_name" not in self.errors:
            super()._post_clean()  # type: ignore[misc]  # it is Django's own hook


def choices() -> list[tuple[str, str]]:
    """Return the actors that a schedule of this page may send."""
    here = router.db_for_write(Schedule)
    names = [
        actor.actor_name
        for actor in registry
        if actor.options.get("schedulable")
        and brokers.carrier(actor.actor_name, {}).database == here
    ]
    return [(name, name) for name in sorted(names)]
