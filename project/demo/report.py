"""The outcome of the demo's orders, read from the database and the mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.db.models import Sum
from pypdf import PdfReader

from core import monitoring
from project.demo.customers import Placed
from project.demo.mailbox import Mailbox
from shop.models import Order, OrderLine, OrderTask, ReportMail, StockMovement


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of the table."""

    orders: int
    mailed: int
    pdf: str
    moved: int
    sold_out: int
    retries: int
    seconds: float

    def differences(self, expected: "Figures") -> list[str]:
        """Return what is not as it must be, in words."""
        return [
            f"{name}: {getattr(self, name)}, not {getattr(expected, name)}"
            for name in ("orders", "mailed", "moved", "sold_out", "retries")
            if getattr(self, name) != getattr(expected, name)
        ]


def read(placed: Sequence[Placed], mailbox: Mailbox, seconds: float) -> Figures:
    """Read what became of these orders."""
    orders = Order.objects.filter(reference__in=[order.reference for order in placed])
    moved = StockMovement.objects.filter(order__in=orders)
    tasks = OrderTask.objects.filter(order__in=orders)
    runs = [monitoring.run(str(task.message_id)) for task in tasks]
    succeeded = sum(run.state == "succeeded" for run in runs) == 3 * len(placed)
    last = ReportMail.objects.filter(order__in=orders).last()
    return Figures(
        orders=orders.count() if succeeded else -1,
        mailed=sum(_mailed(order, mailbox) for order in placed),
        pdf=_shown(last.pdf) if last else "none",
        moved=-(moved.aggregate(total=Sum("quantity"))["total"] or 0),
        sold_out=OrderLine.objects.filter(order__in=orders, sold_out=True).count(),
        retries=sum(run.retries for run in runs),
        seconds=seconds,
    )


def _shown(pdf: str) -> str:
    """Return the path of a report as one would type it in the project's folder."""
    path = Path(settings.MEDIA_ROOT) / pdf
    if not path.exists():
        return "missing"
    return str(path.relative_to(settings.BASE_DIR))


def _mailed(order: Placed, mailbox: Mailbox) -> int:
    """Count the mails that brought this order's report as a readable PDF."""
    return sum(
        order.reference in _text(part.get_payload(decode=True))
        for mail in mailbox.to(order.email)
        for part in mail.walk()
        if part.get_content_type() == "application/pdf"
    )


def _text(payload: object) -> str:
    if not isinstance(payload, bytes):
        return ""
    return "".join(page.extract_text() for page in PdfReader(BytesIO(payload)).pages)
