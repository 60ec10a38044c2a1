"""The shop's PDFs: drawn whole beside their place, then moved into it."""

import os
import tempfile
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from reportlab.platypus import Paragraph, Spacer

from shop import paper
from shop.models import Order
from shop.sales import Sales

#: Articles in the chart of a day: those with the largest turnover.
BARS = 10
#: Under MEDIA_ROOT.
FOLDER = "reports"


def money(amount: Decimal) -> str:
    # The space does not break.
    return f"€\N{NO-BREAK SPACE}{amount:,.2f}"


def absolute(pdf: str) -> Path:
    """Return where a PDF lies whose path is relative to MEDIA_ROOT."""
    return Path(settings.MEDIA_ROOT) / pdf


def order_report(order: Order) -> str:
    """Write an order's PDF; return its path relative to MEDIA_ROOT."""
    rows = [
        [line.name, str(line.quantity), money(line.unit_price), money(line.subtotal)]
        for line in order.lines.all()
    ]
    placed = timezone.localtime(order.created_at)
    story = [
        *paper.heading("Your order", str(order.reference)),
        paper.facts(
            [
                ("Customer", order.name),
                ("E-mail", order.email),
                ("Placed", f"{placed:%d %B %Y, %H:%M %Z}"),
            ]
        ),
        Spacer(0, 18),
        paper.lines(
            ["Article", "Quantity", "Price", "Amount"], rows, money(order.total)
        ),
        Spacer(0, 18),
        Paragraph(
            "Goods are given out in the sequence of orders. Your order's page says so"
            " if a line was sold out; it is not charged.",
            paper.SMALL,
        ),
    ]
    return _write(f"order-{order.reference}.pdf", f"Order {order.reference}", story)


def sales_report(sold: Sales) -> str:
    """Write a day's PDF; return its path relative to MEDIA_ROOT."""
    rows = [[row.name, str(row.quantity), money(row.total)] for row in sold.rows]
    story = [
        *paper.heading("Sales", f"{sold.day:%A, %d %B %Y}"),
        paper.facts([("Orders", str(sold.orders)), ("Turnover", money(sold.total))]),
        Spacer(0, 18),
        paper.bars([(row.name, float(row.total)) for row in sold.rows[:BARS]]),
        Spacer(0, 18),
        paper.lines(["Article", "Sold", "Amount"], rows, money(sold.total)),
    ]
    return _write(f"sales-{sold.day}.pdf", f"Sales of {sold.day}", story)


def _write(name: str, title: str, story: list[paper.Flowable]) -> str:
    """Render under a name of its own, then replace: a reader never sees a half."""
    target = absolute(f"{FOLDER}/{name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(".tmp", f"{name}.", target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            paper.render(file, title, story)
        # mkstemp makes it private; the web server is another user.
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return f"{FOLDER}/{name}"
