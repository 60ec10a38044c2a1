"""Sales of a day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import DecimalField, ExpressionWrapper, F, Sum

from shop.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class Row:
    """One product of the day."""

    name: str
    quantity: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Sales:
    """One day, in the time zone of the shop."""

    day: date
    orders: int
    rows: tuple[Row, ...]

    @property
    def total(self) -> Decimal:
        return sum((row.total for row in self.rows), Decimal("0.00"))


def of_day(day: date) -> Sales:
    """Add up a day's orders by product; what was sold out does not count."""
    worth = ExpressionWrapper(
        F("unit_price") * F("quantity"),
        output_field=DecimalField(max_digits=16, decimal_places=2),
    )
    found = (
        OrderLine.objects.filter(order__created_at__date=day, sold_out=False)
        .order_by()
        .values("product_id", "name")
        .annotate(sold=Sum("quantity"), worth=Sum(worth))
        .order_by("-worth", "name")
    )
    rows = tuple(
        Row(r["name"], r["sold"], r["worth"].quantize(Decimal("0.01"))) for r in found
    )
    return Sales(day, Order.objects.filter(created_at__date=day).count(), rows)
