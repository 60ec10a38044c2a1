"""Taking goods out of the stock, many orders at once, never more than there are."""

from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from shop.models import (
    Order,
    OrderEvent,
    OrderLine,
    Product,
    StockDifference,
    StockMovement,
    StockRecord,
)

#: The kind of the event which says that an order's goods were taken out.
UPDATED = "stock updated"


def take_out(order_id: int) -> None:
    """Sell an order's lines; call it inside a transaction.

    A line that cannot be filled whole is marked sold out. An order that another run
    took out already is left as it is, with an event that says so.
    """
    # Locked, so that two runs for one order come one after the other.
    order = Order.objects.select_for_update().get(pk=order_id)
    if order.events.filter(kind=UPDATED).exists():
        _note(order, "stock had been updated", "Nothing was taken out again.")
        return
    # Every order takes its products in the same sequence: no deadlocks.
    lines = list(order.lines.order_by("product_id", "pk"))
    missing = [line for line in lines if not _sell(line)]
    _note(order, UPDATED, f"{len(lines) - len(missing)} of {len(lines)} lines")


def _sell(line: OrderLine) -> bool:
    """Take one line out; say whether there was enough."""
    # One UPDATE that checks and takes: nobody comes between.
    enough = StockRecord.objects.filter(
        product_id=line.product_id, quantity__gte=line.quantity
    )
    if enough.update(quantity=F("quantity") - line.quantity):
        StockMovement.objects.create(
            order_id=line.order_id, product_id=line.product_id, quantity=-line.quantity
        )
        return True
    OrderLine.objects.filter(pk=line.pk).update(sold_out=True)
    OrderEvent.objects.create(
        order_id=line.order_id, kind="sold out", text=f"{line.quantity} x {line.name}"
    )
    return False


def _note(order: Order, kind: str, text: str) -> None:
    OrderEvent.objects.create(order=order, kind=kind, text=text)


def differences() -> list[StockDifference]:
    """Return the products whose movements are not what their orders say, unsaved.

    One statement: no order can be half-way through it.
    """
    lines = OrderLine.objects.filter(
        product=OuterRef("pk"), sold_out=False, order__events__kind=UPDATED
    )
    moves = StockMovement.objects.filter(product=OuterRef("pk"))
    products = Product.objects.annotate(
        ordered=_sum(lines, "product"), moved=-_sum(moves, "product")
    )
    return [
        StockDifference(product=found, ordered=found.ordered, moved=found.moved)
        for found in products.exclude(ordered=F("moved"))
    ]


def _sum(rows: QuerySet[Any], by: str) -> Coalesce:
    total = rows.order_by().values(by).annotate(total=Sum("quantity"))
    return Coalesce(Subquery(total.values("total")), 0)
