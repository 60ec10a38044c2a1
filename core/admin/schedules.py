"""Schedules in the Django admin: made and edited while everything runs."""

from functools import partial
from typing import Any
from zoneinfo import available_timezones

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin import preview, schedule_acts
from core.admin.rows import CheckedAdmin, user_of, visible
from core.admin.schedule_form import ScheduleForm
from core.admin.trigger_fields import ROWS, TriggerForm
from core.counted import counted
from core.models import Schedule

#: The fields with the arguments of the send.
SENT = ("args", "kwargs", "options")
BOUNDS = ("start_at", "end_at", "excluded", "max_fires")
RULES = ("missed", "missed_max", "window", "overlap", "jitter", "pause_after")
KEPT = ("origin", "paused", "retired_at", "fires", "zones", "error")
DECLARED = (
    "It is declared in code, and edited there. The list of schedules can pause it."
)


@admin.register(Schedule)
class ScheduleAdmin(CheckedAdmin):
    """Schedules; those declared in code can only be paused here."""

    form = ScheduleForm
    list_display = ["name", "state", "next_fire", "rule", "actor_name"]
    list_filter = ["paused", "origin", "actor_name"]
    search_fields = ["name", "actor_name"]
    ordering = ["name"]
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ["upcoming", *KEPT]
    actions = ["pause", "resume", "run_now"]

    class Media:
        css = {"all": ["core/schedule.css"]}
        js = ["core/schedule.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        """Show the fields of the trigger to who may edit them, its words to all."""
        edits = obj is None or self.has_change_permission(request, obj)
        sent = SENT if edits else tuple(visible(request, SENT, SENT))
        told = DECLARED if obj is not None and obj.is_declared else ""
        return [
            (None, {"fields": ("name", "actor_name", *sent), "description": told}),
            ("When", {"fields": (*(ROWS if edits else ()), "upcoming")}),
            ("Bounds", {"fields": BOUNDS}),
            ("Missed slots, overlapping runs", {"fields": RULES}),
            *([("State", {"fields": KEPT})] if obj else []),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True if the user may edit it; never if code declares it."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj is not None and obj.is_declared)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True if the user may delete it; a declared one would come back."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and obj.is_declared)

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may pause and resume schedules."""
        return bool(request.user.has_perm("core.pause_schedule"))

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may run a schedule now."""
        return bool(request.user.has_perm("core.run_schedule"))

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """Delete one by one: a declared one among many could not be.

        From Django 6.1 on it is told on which page they are, and asks for it.
        """
        known = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **known)
        actions.pop("delete_selected", None)
        return actions

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse ?args__contains=... to who may not see them."""
        allowed = visible(request, [lookup.partition("__")[0]], SENT)
        return bool(allowed) and super().lookup_allowed(lookup, value, request)

    @admin.display(description="Rule")
    def rule(self, row: Schedule) -> str:
        """Tell the trigger in words."""
        return preview.of_row(row).words if row.trigger else "-"

    @admin.display(description="Next", ordering="next_at")
    def next_fire(self, row: Schedule) -> str:
        """Return the next slot as its own clocks show it."""
        slots = preview.upcoming(row)
        if not slots:
            return "never"
        wall = slots[0].astimezone(row.when.zone)
        text = f"{wall:%d %b %Y %H:%M} {wall.isoformat()[-6:]}"
        return format_html('<span class="schedule-time">{}</span>', text)

    @admin.display(description="State")
    def state(self, row: Schedule) -> str:
        """Return its state in a word."""
        if row.retired_at:
            return "retired"
        return row.error or ("paused" if row.paused else "active")

    @admin.display(description="Next fires")
    def upcoming(self, row: Schedule) -> SafeString:
        """Show the rule in words and the next fires; a script keeps it up to date."""
        shown = preview.of_row(row) if row.trigger else preview.Preview()
        url = reverse("admin:core_schedule_preview")
        context = {
            "preview": shown,
            "url": f"{url}?id={row.pk}" if row.pk else url,
            "zones": sorted(available_timezones()),
        }
        return render_to_string("core/schedule_upcoming.html", context)

    def get_urls(self) -> list[URLPattern]:
        """Add what the script asks."""
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("preview/", view, name="core_schedule_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Describe the form's schedule, or return its errors; nothing is written."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = request.GET.get("id")
        row = self.get_object(request, key) if key else None
        allowed = self.has_change_permission(request, row) if row else None
        if not (allowed if row else self.has_add_permission(request)):
            raise PermissionDenied
        form = self.get_form(request, row, change=row is not None)(
            request.POST, instance=row
        )
        errors = {name: list(map(str, found)) for name, found in form.errors.items()}
        return JsonResponse({"html": preview.of_form(form).render(), "errors": errors})

    def save_model(
        self, request: HttpRequest, obj: Schedule, form: Any, change: bool
    ) -> None:
        """Save it, and tell the audit what was changed."""
        fields = [
            "trigger" if name in TriggerForm.base_fields else name
            for name in form.changed_data
        ]
        what = ", ".join(dict.fromkeys(fields)) if change else ""
        verb = f"change {what}" if change else "add"
        save = partial(super().save_model, request, obj, form, change)
        schedule_acts.write(verb, obj, save, by=user_of(request))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete it with its slots, and tell the audit."""
        delete = partial(super().delete_model, request, obj)
        schedule_acts.write("delete", obj, delete, by=user_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count the slots that go too: there may be any number of them."""
        rows = list(objs)
        slots = sum(row.slots.count() for row in rows)
        return [str(row) for row in rows], {"slots": slots}, set(), []

    @admin.action(description="Pause", permissions=["pause"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Record the slots of the chosen ones as skipped from now on."""
        count = schedule_acts.pause(list(queryset), by=user_of(request))
        self.message_user(
            request, f"Paused {counted(count, 'schedule')}.", messages.SUCCESS
        )

    @admin.action(description="Resume", permissions=["pause"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """End the pause of the chosen ones."""
        count = schedule_acts.resume(list(queryset), by=user_of(request))
        self.message_user(
            request, f"Resumed {counted(count, 'schedule')}.", messages.SUCCESS
        )

    @admin.action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Send what the chosen ones send; their slots stay as they are."""
        sent, problems = schedule_acts.run_now(list(queryset), by=user_of(request))
        self.message_user(
            request, f"Ran {counted(sent, 'schedule')}.", messages.SUCCESS
        )
        for problem in problems:
            self.message_user(request, problem, messages.ERROR)
