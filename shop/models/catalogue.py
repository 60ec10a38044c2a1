"""Products and their stock."""

from django.db import models
from django.db.models import Q


class Product(models.Model):
    """One thing in the catalogue."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    picture = models.CharField(
        max_length=40, help_text="A symbol in shop/pictures.svg, as locomotive."
    )
    position = models.PositiveIntegerField(default=0, help_text="Smaller comes first.")

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class StockRecord(models.Model):
    """How many of a product are in the store; only `update_inventory` sells of it."""

    product = models.OneToOneField(
        Product, on_delete=models.CASCADE, related_name="stock"
    )
    quantity = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # The last word against overselling, whatever the code does.
            models.CheckConstraint(
                condition=Q(quantity__gte=0), name="shop_stock_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.quantity}"


class Reservation(models.Model):
    """What lies in somebody's cart. It shows others what is wanted, and holds nothing:
    goods go to who orders first."""

    cart = models.CharField(max_length=40, help_text="The key of a session.")
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="reservations"
    )
    quantity = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cart", "product"], name="shop_reservation_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id} in a cart"


class StockDifference(models.Model):
    """The movements of a product were not what its orders say. Append-only."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    ordered = models.IntegerField(help_text="Taken out, by the orders.")
    moved = models.IntegerField(help_text="Taken out, by the movements.")
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-found_at"]

    def __str__(self) -> str:
        return f"{self.product}: {self.ordered} ordered, {self.moved} moved"
