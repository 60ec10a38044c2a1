"""What happens to an order after its checkout, in a worker."""

import logging
from contextlib import AbstractContextManager
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMessage
from django.db import transaction

from core import actor, current_run, publish
from shop import inventory, reports, sales
from shop.models import Order, OrderEvent, ReportMail, SalesReport

logger = logging.getLogger(__name__)

#: The right side of our Message-IDs.
MAIL_DOMAIN = "switchyard.example"
SIGNATURE = "Switchyard Supply\n"


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
    message_id = f"<order-{order.reference}.report@{MAIL_DOMAIN}>"
    _mail(
        f"Your order {order.reference}",
        f"Hello {order.name},\n\nthank you. Your order is attached.\n\n{SIGNATURE}",
        order.email,
        message_id,
        pdf,
    )
    with _settling():
        ReportMail.objects.create(
            order=order, recipient=order.email, message_id=message_id, pdf=pdf
        )
        OrderEvent.objects.create(order=order, kind="report mailed", text=order.email)
        publish("order.reported", {"reference": str(order.reference)})


def _mail(subject: str, body: str, to: str, message_id: str, pdf: str) -> None:
    """Send a mail with a PDF out of MEDIA_ROOT."""
    mail = EmailMessage(subject, body, to=[to], headers={"Message-ID": message_id})
    mail.attach_file(str(reports.absolute(pdf)), "application/pdf")
    mail.send()


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
)
def generate_sales_report(day: str) -> None:
    """Mail the admin what was sold on a day ("2026-01-31"). One mail per run."""
    sold = sales.of_day(date.fromisoformat(day))
    pdf = reports.sales_report(sold)
    run = current_run()
    version = f".{run.id}" if run else ""
    _mail(
        f"Sales of {day}",
        f"{sold.orders} orders, {reports.money(sold.total)}. The report is attached.",
        settings.SHOP_ADMIN_EMAIL,
        f"<sales-{day}{version}@{MAIL_DOMAIN}>",
        pdf,
    )
    with _settling():
        SalesReport.objects.create(
            day=sold.day, orders=sold.orders, total=sold.total, pdf=pdf
        )
