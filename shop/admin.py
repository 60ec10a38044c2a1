"""The shop's back office: the catalogue to edit, the orders to read."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from shop.models import (
    Order,
    OrderEvent,
    OrderLine,
    OrderTask,
    Product,
    ReportMail,
    SalesReport,
    StockMovement,
    StockRecord,
)


class ReadOnlyInline(admin.TabularInline):
    """Rows of an order, read-only."""

    extra = 0
    can_delete = False

    def has_add_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = readonly_fields = ["name", "quantity", "unit_price", "sold_out"]


class TaskInline(ReadOnlyInline):
    model = OrderTask
    fields = readonly_fields = ["task", "message_id"]


class EventInline(ReadOnlyInline):
    model = OrderEvent
    fields = readonly_fields = ["at", "kind", "text"]


class MovementInline(ReadOnlyInline):
    model = StockMovement
    fields = readonly_fields = ["at", "product", "quantity"]

    def get_queryset(self, request: HttpRequest) -> object:
        return super().get_queryset(request).select_related("product")


class MailInline(ReadOnlyInline):
    model = ReportMail
    fields = readonly_fields = ["sent_at", "recipient", "message_id", "pdf"]


class StockInline(admin.StackedInline):
    model = StockRecord
    can_delete = False


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["name", "price", "in_stock", "position"]
    list_editable = ["price", "position"]
    list_select_related = ["stock"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [StockInline]

    @admin.display(description="in stock", ordering="stock__quantity")
    def in_stock(self, product: Product) -> int | None:
        stock = getattr(product, "stock", None)
        return None if stock is None else stock.quantity


class ReadOnlyAdmin(admin.ModelAdmin):
    """Written by the shop, read by people."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["reference", "name", "email", "total", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["reference", "name", "email"]
    date_hierarchy = "created_at"
    exclude = ["fingerprint"]
    inlines = [LineInline, TaskInline, EventInline, MovementInline, MailInline]


@admin.register(SalesReport)
class SalesReportAdmin(ReadOnlyAdmin):
    list_display = ["day", "orders", "total", "created_at"]
