"""A preview of a schedule: its rule in words, and its next fires in its own zone."""

import inspect
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core import runs
from core.errors import CoreError, InvalidTrigger
from core.models import Schedule
from core.registry import registry
from core.triggers import MOMENT, At

#: Number of fires shown.
NEXT = 10


@dataclass(frozen=True)
class Preview:
    """The preview beside the form."""

    words: str = ""
    tz: str = ""
    #: Each in the schedule's zone, with its offset, and in UTC.
    fires: list[tuple[str, str, str]] = field(default_factory=list)
    #: The actor's parameters.
    signature: str = ""
    #: The expression before the error, the wrong part, and the rest.
    marked: tuple[str, str, str] | None = None
    problems: list[str] = field(default_factory=list)
    is_paused: bool = False

    def render(self) -> SafeString:
        """Return it as HTML."""
        return render_to_string("core/schedule_preview.html", {"preview": self})


def of_row(row: Schedule) -> Preview:
    """Return what a saved schedule will do."""
    try:
        said = row.said
    except (CoreError, TypeError, ValueError) as error:
        return Preview(problems=[str(error)])
    return Preview(
        words=said.trigger.words(row.name),
        tz=said.trigger.tz,
        fires=[told(slot, said.trigger.zone) for slot in upcoming(row)],
        signature=signature(row.actor_name),
        is_paused=row.paused,
    )


def of_form(form: Any) -> Preview:
    """Return what a schedule would do as a form says it, or what is wrong."""
    row: Schedule = form.instance
    problems = [str(error) for error in form.non_field_errors()]
    if form.trigger is None:
        marked = mark(form.refusal) if form.refusal else None
        shown = Preview(signature=signature(row.actor_name), marked=marked)
    else:
        shown = of_row(row)
    problems = list(dict.fromkeys([*problems, *shown.problems]))
    return replace(shown, problems=problems)


def upcoming(row: Schedule) -> list[datetime]:
    """Return the next slots that may fire, the database's time being now."""
    if row.retired_at:
        return []
    table = row.timetable(row.said)
    left = NEXT if row.max_fires is None else max(0, row.max_fires - row.fires)
    trigger = table.trigger
    after = runs.now(row._state.db or "default")
    if isinstance(trigger, At) and not row.fires:  # it fires however late
        after = min(after, trigger.slot - MOMENT)
    return list(islice(table.slots(after), min(NEXT, left)))


def told(slot: datetime, zone: Any) -> tuple[str, str, str]:
    """Return a slot as the clocks of a zone show it, its offset, and that in UTC."""
    wall = slot.astimezone(zone)
    clocks = "%H:%M:%S" if slot.second else "%H:%M"
    offset = wall.isoformat()[-6:]
    return f"{wall:%a %d %b %Y, {clocks}}", offset, f"{slot:%d %b, {clocks}}"


def signature(actor_name: str) -> str:
    """Return how an actor is called."""
    if actor_name not in registry:
        return ""
    actor = registry.get(actor_name)
    return f"{actor_name.rpartition('.')[2]}{inspect.signature(actor.fn)}"


def mark(error: InvalidTrigger) -> tuple[str, str, str] | None:
    """Return the parts of an expression around what is refused, if that has a place."""
    if not error.position:
        return None
    at = error.position - 1
    before, rest = error.written[:at], error.written[at:]
    wrong = rest.split(" ")[0].split(",")[0] or "␣"
    return before, wrong, rest[len(wrong) :]
