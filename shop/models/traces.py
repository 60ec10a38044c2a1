"""What the tasks left behind. No unique constraints: an effect that happened twice
must be there twice, for a test to count."""

from django.db import models

from shop.models.catalogue import Product
from shop.models.orders import Order


class StockMovement(models.Model):
    """Goods that entered (positive) or left (negative) the store. Append-only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="movements")
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.IntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quantity:+d} x {self.product_id}"


class ReportMail(models.Model):
    """A report that was mailed to a customer. Append-only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="mails")
    recipient = models.EmailField()
    message_id = models.CharField(max_length=250, help_text="The mail's Message-ID.")
    pdf = models.CharField(max_length=250, help_text="Relative to MEDIA_ROOT.")
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.message_id


class SalesReport(models.Model):
    """What was sold on one day, as of `created_at`."""

    day = models.DateField()
    orders = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=16, decimal_places=2)
    pdf = models.CharField(max_length=250, help_text="Relative to MEDIA_ROOT.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Sales of {self.day}"
