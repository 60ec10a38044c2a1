"""Orders, their lines and their progress."""

import uuid
from decimal import Decimal

from django.db import models

from shop.models.catalogue import Product


class Order(models.Model):
    """One checkout. Its total is what it came to when it was placed."""

    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    idempotency_key = models.CharField(
        max_length=100,
        unique=True,
        null=True,
        blank=True,
        help_text="Two checkouts with one key are one order.",
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of what was ordered, by whom."
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    total = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"Order {self.reference}"


class OrderLine(models.Model):
    """Some of one product, at its name and price of that moment."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    quantity = models.PositiveIntegerField()
    sold_out = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def subtotal(self) -> Decimal:
        return self.unit_price * self.quantity


class OrderEvent(models.Model):
    """Something that happened to an order. Append-only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=250, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.kind


class OrderTask(models.Model):
    """A task that was sent for an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="tasks")
    task = models.CharField(max_length=100, help_text="report, inventory or log.")
    message_id = models.UUIDField()

    class Meta:
        ordering = ["pk"]
        permissions = [
            ("start_order_report", "Can start the task order-report"),
            ("start_inventory", "Can start the task inventory"),
            ("start_order_log", "Can start the task order-log"),
            ("start_sales_report", "Can start the task sales-report"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.message_id}"
