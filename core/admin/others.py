"""Read-only pages: the audit, parked payloads, workers."""

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from core.admin.rows import ReadOnlyAdmin
from core.models import AuditEntry, Parked, Worker


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """The actions of operators."""

    list_display = ["at", "by", "verb", "changed", "target"]
    list_filter = ["verb", "by"]
    ordering = ["-at"]
    show_full_result_count = False


@admin.register(Parked)
class ParkedAdmin(ReadOnlyAdmin):
    """Messages that arrived and could not be understood."""

    list_display = ["parked_at", "broker", "queue", "size", "reason"]
    list_filter = ["broker", "queue"]
    fields = ["parked_at", "broker", "queue", "size", "reason", "start_of_payload"]
    # A direct message carries its arguments.
    hidden = ("payload", "start_of_payload")

    @admin.display(description="Payload (first 1000 bytes)")
    def start_of_payload(self, row: Parked) -> str:
        """Show the bytes as Python writes them."""
        return repr(bytes(row.payload)[:1000])


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """The processes that run actors."""

    list_display = [
        *("name", "broker", "host", "pid", "threads"),
        *("starts", "memory", "lease_until", "alive"),
    ]
    list_filter = ["broker", "host"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """Add whether its lease holds, by the database's time."""
        holds = ExpressionWrapper(Q(lease_until__gt=Now()), BooleanField())
        found: QuerySet[Worker] = super().get_queryset(request)
        return found.annotate(holds=holds)

    @admin.display(description="Runs/s", ordering="rate")
    def starts(self, row: Worker) -> str:
        """Return its rate, rounded."""
        return f"{row.rate:.1f}"

    @admin.display(description="Memory", ordering="rss")
    def memory(self, row: Worker) -> str:
        """Return its resident memory with a unit."""
        return filesizeformat(row.rss)

    @admin.display(description="Alive", boolean=True, ordering="lease_until")
    def alive(self, row: Any) -> bool:
        """Return True while its lease holds."""
        return bool(row.holds)
