"""Read-only pages: the audit, parked payloads, workers."""

from django.contrib import admin

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

    @admin.display(description="Body (first 1000 bytes)")
    def start_of_payload(self, row: Parked) -> str:
        """Show the bytes as Python writes them."""
        return repr(bytes(row.payload)[:1000])


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """The processes that run actors."""

    list_display = ["name", "broker", "host", "pid", "threads", "rate", "lease_until"]
