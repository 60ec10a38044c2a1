"""Runs in the Django admin: to read, to requeue, to cancel."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core import control
from core.models import Attempt, Parked, Run, Worker

if TYPE_CHECKING:  # at run time Django's admin classes take no type argument
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Attempt, Run]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only the state machine writes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits one either."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes one."""
        return False


class AttemptInline(TabularInline):
    """The attempts of a run that did not succeed."""

    model = Attempt
    extra = 0
    can_delete = False
    fields = ("number", "outcome", "worker", "started_at", "finished_at", "traceback")
    readonly_fields = fields


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The life of every message, with requeue and cancel for whoever may change it."""

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

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whoever has the model permission to change runs may act on them."""
        return bool(request.user.has_perm("core.change_run"))

    @admin.action(description="Requeue (dead and cancelled)", permissions=["operate"])
    def requeue(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Give the chosen dead and cancelled runs a new life."""
        count = control.requeue([str(run.pk) for run in queryset.only("pk")])
        self.message_user(request, f"Requeued {count} runs.", messages.SUCCESS)

    @admin.action(description="Cancel (not yet started)", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Stop the chosen runs that have not started."""
        count = control.cancel([str(run.pk) for run in queryset.only("pk")])
        self.message_user(request, f"Cancelled {count} runs.", messages.SUCCESS)


@admin.register(Parked)
class ParkedAdmin(ReadOnlyAdmin):
    """What arrived and could not be understood."""

    list_display = ["parked_at", "broker", "queue", "size", "reason"]
    list_filter = ["broker", "queue"]
    fields = ["parked_at", "broker", "queue", "size", "reason", "start_of_body"]

    @admin.display(description="Body (first 1000 bytes)")
    def start_of_body(self, row: Parked) -> str:
        """Show the bytes as Python writes them."""
        return repr(bytes(row.body)[:1000])


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """The processes that run actors."""

    list_display = ["name", "broker", "host", "pid", "slots", "rate", "lease_until"]
