"""The tasks of an order after its checkout."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from core import actor, crontab, current_run, effect, every, publish, scheduled
from shop import inventory, reports, reservations, sales
from shop.models import Order, OrderEvent, ReportMail, SalesReport, StockDifference

logger = logging.getLogger(__name__)

#: The right side of our Message-IDs.
MAIL_DOMAIN = "switchyard.example"
SIGNATURE = "Switchyard Supply\n"
#: With one of these the mail server has not taken a mail.
NOT_SENT = (ConnectionRefusedError, SMTPResponseException, SMTPRecipientsRefused)


def _settling() -> AbstractContextManager[None]:
    """Return the block whose writes take effect once, with the run's success."""
    run = current_run()
    return transaction.atomic() if run is None else run.atomic()


@actor(
    queue_name="email",
    min_backoff=timedelta(seconds=1),
    max_backoff=timedelta(minutes=5),
    throws=ObjectDoesNotExist,
)
def generate_order_report(order_id: int) -> None:
    """Mail the customer the order as a PDF. Safe to run twice.

    A worker that dies between the mail and its record mails again, under the same
    Message-ID: a mail server cannot take part in a transaction.
    """
    order = Order.objects.get(pk=order_id)
    if order.mails.exists():
        logger.info("Report of order %s had been mailed.", order.reference)
        return
    pdf = reports.order_report(order)
    mail = _mail(
        f"Your order {order.reference}",
        f"Hello {order.name},\n\nthank you. Your order is attached.\n\n{SIGNATURE}",
        order.email,
        pdf,
    )
    key = f"order-{order.reference}.report"
    message_id = effect("report", mail, key=key, not_done=NOT_SENT)
    with _settling():
        ReportMail.objects.create(
            order=order, recipient=order.email, message_id=message_id, pdf=pdf
        )
        OrderEvent.objects.create(order=order, kind="report mailed", text=order.email)
        publish("order.reported", {"reference": str(order.reference)})


def _mail(subject: str, body: str, to: str, pdf: str) -> Callable[[str], str]:
    """Return what sends a mail with a PDF out of MEDIA_ROOT, and tells its Message-ID.

    That is made of the effect's key: a mail that is sent again is the same mail.
    """

    def send(key: str) -> str:
        message_id = f"<{key}@{MAIL_DOMAIN}>"
        headers = {"Message-ID": message_id}
        mail = EmailMessage(subject, body, to=[to], headers=headers)
        mail.attach_file(str(reports.absolute(pdf)), "application/pdf")
        mail.send()
        return message_id

    return send


@actor(atomic=True, throws=ObjectDoesNotExist)
def update_inventory(order_id: int) -> None:
    """Take an order's lines out of the stock, or report them sold out. Safe to run
    twice: what another run did already is only noted."""
    inventory.take_out(order_id)


@actor(atomic=True, throws=ObjectDoesNotExist)
def log_order_processing(order_id: int) -> None:
    """Note that an order was processed. Once per run."""
    order = Order.objects.get(pk=order_id)
    OrderEvent.objects.create(order=order, kind="processed")
    publish("order.processed", {"reference": str(order.reference)})
    logger.info("Processed order %s.", order.reference)


@actor(
    queue_name="email",
    min_backoff=timedelta(seconds=1),
    max_backoff=timedelta(minutes=5),
    throws=ValueError,
    schedule=scheduled(
        crontab("0 0 * * *", tz=settings.TIME_ZONE), name="sales report"
    ),
)
def generate_sales_report(day: str = "") -> None:
    """Mail the admin what was sold on a day ("2026-01-31"), one mail per run.

    Unless given, the day before its slot, or before it was sent.
    """
    run = current_run()
    today = timezone.localdate((run.slot or run.created_at) if run else None)
    sold = sales.of_day(date.fromisoformat(day) if day else today - timedelta(days=1))
    day, pdf = sold.day.isoformat(), reports.sales_report(sold)
    mail = _mail(
        f"Sales of {day}",
        f"{sold.orders} orders, {reports.money(sold.total)}. The report is attached.",
        settings.SHOP_ADMIN_EMAIL,
        pdf,
    )
    version = run.id if run else uuid4()
    effect("sales report", mail, key=f"sales-{day}.{version}", not_done=NOT_SENT)
    with _settling():
        SalesReport.objects.create(
            day=sold.day, orders=sold.orders, total=sold.total, pdf=pdf
        )


@actor(schedule=scheduled(every(minutes=1), name="abandoned carts", missed="skip"))
def expire_reservations() -> None:
    """Forget the carts that nobody has touched for a while. Safe to run twice."""
    expired = reservations.expire()
    if expired:
        logger.info("Forgot %d products in abandoned carts.", expired)


@actor(atomic=True, schedule=scheduled(crontab("@hourly"), name="stock taking"))
def reconcile_stock() -> None:
    """Hold the movements of each product to its orders; tell where they differ."""
    for found in StockDifference.objects.bulk_create(inventory.differences()):
        logger.error("Stock of %s", found)
