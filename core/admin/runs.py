"""Runs in the Django admin: to read, to requeue, to cancel."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import control
from core.admin.rows import FailingAdmin, user_of, visible
from core.models import Attempt, Run

if TYPE_CHECKING:  # at run time Django's admin classes take no type argument
    TabularInline = admin.TabularInline[Attempt, Run]
else:
    TabularInline = admin.TabularInline


class AttemptInline(TabularInline):
    """The attempts of a run that did not succeed."""

    model = Attempt
    extra = 0
    can_delete = False
    fields = ("number", "outcome", "worker", "started_at", "finished_at", "traceback")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say that who may view a run may view its attempts."""
        return bool(request.user.has_perm("core.view_run"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave out the traceback for who may not view arguments."""
        return visible(request, self.fields, ("traceback",))


@admin.register(Run)
class RunAdmin(FailingAdmin):
    """The life of every message; each action has its own permission."""

    list_display = [
        "id",
        "actor_name",
        "state",
        "queue_name",
        "attempt",
        "created_at",
        "finished_at",
        "error",
    ]
    list_filter = ["state", "queue_name", "actor_name", "broker"]
    search_fields = ["=id", "actor_name", "error"]
    ordering = ["-created_at"]
    show_full_result_count = False
    inlines = [AttemptInline]
    actions = ["requeue", "cancel"]
    # The keys are made of arguments.
    hidden = (
        "args",
        "kwargs",
        "options",
        "result",
        "piped",
        "unique_key",
        "limit_key",
        "attempts",
        "progress",
        *FailingAdmin.hidden,
    )

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        """Say who may requeue."""
        return bool(request.user.has_perm("core.requeue_run"))

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Say who may cancel."""
        return bool(request.user.has_perm("core.cancel_run"))

    @admin.action(description="Requeue (dead and cancelled)", permissions=["requeue"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Give the chosen dead and cancelled runs a new life."""
        ids = [str(run.pk) for run in queryset.only("pk")]
        count = control.requeue(ids, by=user_of(request))
        self.message_user(request, f"Requeued {count} runs.", messages.SUCCESS)

    @admin.action(description="Cancel (not yet ended)", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Stop the chosen runs that have not ended."""
        ids = [str(run.pk) for run in queryset.only("pk")]
        count = control.cancel(ids, by=user_of(request))
        self.message_user(request, f"Cancelled {count} runs.", messages.SUCCESS)
