"""The page of one run: what an operator needs first, and what can be done."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core import control, monitoring
from core.models import Attempt, Run

#: The buttons of the page; each needs its own permission.
ACTS = {"requeue": control.requeue, "cancel": control.cancel}
#: The groups of fields. All others are in the last group, which is collapsed.
GROUPS = (
    ("", ("state", "why", "gates", "error", "kind")),
    ("Run", ("actor_name", "queue_name", "broker", "priority")),
    ("Arguments and result", ("args", "kwargs", "options", "result")),
    (
        "Times",
        ("created_at", "due_at", "started_at", "finished_at", "attempt", "worker"),
    ),
)


def fieldsets(
    fields: list[Any], row: Run | None
) -> list[tuple[str | None, dict[str, Any]]]:
    """Return the fields of the page in their groups.

    Of a run that has ended, state, error and times tell all there is.
    """
    if row is not None and row.finished_at:
        fields = [name for name in fields if name not in ("why", "gates")]
    grouped = {name for _, names in GROUPS for name in names}
    groups = [
        (title or None, {"fields": [name for name in names if name in fields]})
        for title, names in GROUPS
    ]
    rest = [name for name in fields if name not in grouped]
    groups.append(("More", {"fields": rest, "classes": ["collapse"]}))
    return [group for group in groups if group[1]["fields"]]


def why(row: Run) -> SafeString:
    """Return the reasons why it has not started, or where it is."""
    reasons = ((one.text,) for one in monitoring.explain(str(row.pk)).reasons)
    items = format_html_join("", "<li>{}</li>", reasons)
    return format_html('<ul class="run-why">{}</ul>', items)


def gates(row: Run) -> str:
    """Return the codes of these reasons."""
    return ", ".join(one.code for one in monitoring.explain(str(row.pk)).reasons)


def traceback(row: Attempt) -> SafeString:
    """Return a traceback with its lines as they are."""
    return format_html('<pre class="run-text">{}</pre>', row.traceback or row.error)


def may(request: HttpRequest, verb: str) -> bool:
    """Return True if this user may do that to runs."""
    return bool(request.user.has_perm(f"core.{verb}_run"))


def acts(request: HttpRequest, row: Run) -> list[dict[str, str]]:
    """Return what this user may do to a run in its present state."""
    key = str(row.pk)
    verbs = [verb for verb in ACTS if may(request, verb)]
    return [
        {"name": verb, "url": reverse(f"admin:core_run_{verb}", args=[key])}
        for verb in verbs
        if not control.refused(verb, [key])
    ]
