"""The shop's tables. What the tasks write is append-only: a second effect shows."""

from shop.models.catalogue import (
    Product,
    Reservation,
    StockDifference,
    StockRecord,
)
from shop.models.orders import Order, OrderEvent, OrderLine, OrderTask
from shop.models.traces import ReportMail, SalesReport, StockMovement

__all__ = [
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderTask",
    "Product",
    "ReportMail",
    "Reservation",
    "SalesReport",
    "StockDifference",
    "StockMovement",
    "StockRecord",
]
