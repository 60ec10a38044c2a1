"""The demo's orders and their expected outcome."""

from typing import Any

from project.demo.mailbox import Mailbox
from project.demo.report import Figures
from shop.models import Product, StockRecord

ORDERS = 20
#: Of one product there are fewer than customers who want it.
SCARCE = 8


def prepare() -> list[list[dict[str, Any]]]:
    """Stock the shop; return the lines of each order."""
    *plenty, scarce = Product.objects.order_by("position", "pk")
    StockRecord.objects.exclude(product=scarce).update(quantity=1000)
    StockRecord.objects.filter(product=scarce).update(quantity=SCARCE)
    return [
        [
            {"product": plenty[number % len(plenty)].slug, "quantity": 1 + number % 3},
            {"product": scarce.slug, "quantity": 1},
        ]
        for number in range(ORDERS)
    ]


def expected(
    lines: list[list[dict[str, Any]]], mailbox: Mailbox, engine: str
) -> Figures:
    """Return the figures that these orders must give."""
    refused = [address for address in mailbox.refused if address.startswith(engine)]
    return Figures(
        orders=ORDERS,
        mailed=ORDERS,
        pdf="",
        moved=sum(order[0]["quantity"] for order in lines) + SCARCE,
        sold_out=ORDERS - SCARCE,
        retries=len(refused),
        seconds=0,
    )
