"""A trigger as the fields of a form, and back."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

from core.errors import InvalidTrigger
from core.triggers import At, Crontab, Every, Solar, Trigger, at, every, solar, zone
from core.triggers.grammar import LONGEST
from core.triggers.intervals import ANCHOR, UNITS, in_units
from core.triggers.sun import HEIGHTS
from core.triggers.zones import shown

KINDS = [
    ("crontab", "cron: local times of a zone"),
    ("every", "every: equal intervals"),
    ("at", "at: one moment"),
    ("solar", "solar: sunrise, sunset and the like"),
]
#: The required field of each kind, which also shows its errors.
MAIN = {"crontab": "expr", "every": "number", "at": "when", "solar": "event"}


class WallField(forms.Field):
    """A date and a time without a zone."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
    )

    def to_python(self, value: Any) -> datetime | None:
        """Read it as 2026-12-24T18:00."""
        if value in self.empty_values:
            return None
        try:
            read = datetime.fromisoformat(str(value).strip())
        except ValueError:
            read = None
        if read is None or read.tzinfo is not None:
            problem = "Write it as 2026-12-24 18:00, without a zone."
            raise forms.ValidationError(problem)
        return read


class TriggerForm(forms.Form):
    """The fields of every kind of trigger; `kind` says which of them count."""

    kind = forms.ChoiceField(choices=KINDS, initial="crontab")
    tz = forms.CharField(
        label="Time zone",
        initial="UTC",
        max_length=100,
        help_text="IANA name. All dates and times below are in this zone.",
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    expr = forms.CharField(
        label="Cron expression",
        required=False,
        strip=False,
        validators=[MaxLengthValidator(LONGEST)],
        help_text="Minute, hour, day, month, weekday; with six fields seconds first.",
        widget=forms.TextInput(
            attrs={"class": "vTextField", "spellcheck": "false", "autocomplete": "off"}
        ),
    )
    day_match = forms.ChoiceField(
        label="Day and weekday",
        required=False,
        choices=[
            ("", "at most one is restricted"),
            ("and", "both must match"),
            ("or", "one must match"),
        ],
    )
    dst = forms.ChoiceField(
        label="Clock changes",
        required=False,
        choices=[
            ("once", "fixed times fire once"),
            ("skip", "skipped times do not fire"),
            ("twice", "repeated times fire twice"),
        ],
    )
    number = forms.FloatField(label="Every", required=False)
    unit = forms.ChoiceField(
        label="Unit", required=False, initial="hours", choices=[(u, u) for u in UNITS]
    )
    anchor = WallField(
        required=False,
        label="Counted from",
        help_text=f"Default: {ANCHOR:%Y-%m-%d %H:%M}, a Monday.",
    )
    when = WallField(required=False, label="Moment")
    deadline = WallField(required=False, help_text="It does not fire after this.")
    event = forms.ChoiceField(
        required=False,
        initial="sunrise",
        choices=[(name, name.replace("_", " ")) for name in HEIGHTS],
    )
    latitude = forms.FloatField(required=False, help_text="Degrees north.")
    longitude = forms.FloatField(required=False, help_text="Degrees east.")


#: The fields as rows of the page.
ROWS = (
    *("kind", "tz", "expr", "day_match", "dst"),
    *(("number", "unit"), "anchor", "when", "deadline"),
    *("event", ("latitude", "longitude")),
)


def initial(trigger: Trigger) -> dict[str, Any]:
    """Return what the fields show of a trigger."""
    found: dict[str, Any] = {"kind": trigger.kind, "tz": trigger.tz}
    if isinstance(trigger, Crontab):
        found |= {"expr": trigger.expr, "day_match": trigger.day_match or ""}
        found["dst"] = trigger.dst
    elif isinstance(trigger, Every):
        ((found["unit"], found["number"]),) = in_units(trigger.interval).items()
        found["anchor"] = trigger.anchor if trigger.anchor != ANCHOR else None
    elif isinstance(trigger, At):
        deadline = trigger.deadline and shown(trigger.deadline, trigger.zone)
        found |= {"when": trigger.when, "deadline": deadline}
    elif isinstance(trigger, Solar):
        names = ("event", "latitude", "longitude")
        found |= {name: getattr(trigger, name) for name in names}
    return found


def build(given: dict[str, Any]) -> Trigger:
    """Return the trigger that cleaned fields say; raise `InvalidTrigger`."""
    tz = given["tz"]
    if given["kind"] == "crontab":
        day_match = given["day_match"] or None
        return Crontab(given["expr"], tz, day_match, given["dst"] or "once")
    if given["kind"] == "every":
        return every(_distance(given), anchor=given["anchor"], tz=tz)
    if given["kind"] == "at":
        deadline = given["deadline"] and given["deadline"].replace(tzinfo=zone(tz))
        return at(given["when"].replace(tzinfo=zone(tz)), deadline=deadline)
    return solar(given["event"], given["latitude"], given["longitude"], tz=tz)


def _distance(given: dict[str, Any]) -> timedelta:
    try:
        return timedelta(**{given["unit"] or "hours": given["number"]})
    except OverflowError:
        raise InvalidTrigger(f"{given['number']:g}", "it is too long") from None


def field_of(error: InvalidTrigger, kind: str) -> str:
    """Return the field that is to blame."""
    for name in ("latitude", "longitude", "deadline"):
        if error.problem.startswith((name, f"the {name}")):
            return name
    return MAIN[kind]
