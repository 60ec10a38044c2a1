"""What a customer may count on, from the order to the mail."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from pypdf import PdfReader

from core import Message, UnknownRun
from core.testing import advance_time, drain
from shop.models import Order, OrderTask, Product, ReportMail
from shop.services import place_order
from shop.tasks import generate_order_report
from tests.services.smtp import SmtpServer
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def placed(mailed: SmtpServer, signal: Product, lamp: Product) -> dict[str, Any]:
    """An order of 3 signals and 2 lamps: 3 x 42.75 + 2 x 1250.20."""
    answer = post("/api/orders/", order_of(("signal", 3), ("lamp", 2)))
    assert answer.status_code == 202, answer.content
    return answer.json()


def text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def attachment(mailed: SmtpServer) -> bytes:
    [mail] = mailed.messages
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    return attached.get_content()


def test_order_is_answered_with_its_tasks_and_where_to_follow_them(placed):
    assert placed["order"]["total"] == "2628.65"
    assert placed["order"]["url"] == f"/orders/{placed['order']['reference']}/"
    assert placed["status_url"] == f"/api/orders/{placed['order']['reference']}/"
    assert [task["task"] for task in placed["tasks"]] == ["report", "inventory", "log"]


def test_all_three_tasks_of_an_order_succeed(placed):
    answers = [Client().get(task["status_url"]) for task in placed["tasks"]]
    assert [answer.json()["status"] for answer in answers] == ["succeeded"] * 3
    assert [answer.json()["task"] for answer in answers] == [
        "shop.tasks.generate_order_report",
        "shop.tasks.update_inventory",
        "shop.tasks.log_order_processing",
    ]


def test_order_can_be_followed_to_its_end(placed):
    shown = Client().get(placed["status_url"]).json()
    assert shown["done"] is True
    assert [line["sold_out"] for line in shown["lines"]] == [False, False]
    assert shown["lines"][1] == {
        "product": "lamp",
        "name": "Yard lamp",
        "quantity": 2,
        "unit_price": "1250.20",
        "sold_out": False,
    }
    kinds = {event["kind"] for event in shown["events"]}
    assert kinds == {"placed", "report mailed", "stock updated", "processed"}


def test_customer_gets_one_mail_with_the_order_as_pdf(placed, mailed):
    text = text_of(attachment(mailed))
    for part in ("Łucja Weiß", "Main signal", "Yard lamp", "128.25", "2,500.40"):
        assert part in text
    assert "2,628.65" in text
    assert placed["order"]["reference"] in text


def test_mail_names_the_customer_and_the_order(placed, mailed):
    [mail] = mailed.messages
    assert mail["To"] == "lucja@example.org"
    record = ReportMail.objects.get(order__reference=placed["order"]["reference"])
    assert record.message_id == mail["Message-ID"].strip()
    assert placed["order"]["reference"] in record.message_id


def test_pdf_is_kept_whole_and_without_leftovers(placed, mailed, media: Path):
    record = ReportMail.objects.get()
    assert (media / record.pdf).read_bytes() == attachment(mailed)
    assert [file.suffix for file in (media / "reports").iterdir()] == [".pdf"]


def test_report_that_was_mailed_is_not_mailed_again(placed, mailed):
    order = Order.objects.get()
    generate_order_report(order.pk)
    generate_order_report.send(order.pk)
    assert len(mailed.messages) == 1
    assert ReportMail.objects.count() == 1


def test_order_survives_a_mail_server_that_is_away(mailed, signal, settings):
    here, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    placed = post("/api/orders/", order_of(("signal", 1))).json()
    shown = Client().get(placed["status_url"]).json()
    assert {task["task"]: task["status"] for task in shown["tasks"]} == {
        "report": "pending",
        "inventory": "succeeded",
        "log": "succeeded",
    }
    assert shown["done"] is False

    settings.EMAIL_PORT = here
    assert drain() == 0
    advance_time(timedelta(minutes=5))
    assert (drain(), len(mailed.messages)) == (1, 1)
    assert Client().get(placed["status_url"]).json()["done"] is True


def test_price_of_an_order_stays_what_it_was(placed, lamp):
    Product.objects.update(price="1.00")
    shown = Client().get(placed["status_url"]).json()
    assert shown["order"]["total"] == "2628.65"
    assert shown["lines"][1]["unit_price"] == "1250.20"


def test_order_with_a_bad_line_is_not_saved(signal, mailed):
    with pytest.raises(IntegrityError):
        place_order(name="A", email="a@example.org", lines=[(signal, -1)])
    assert not Order.objects.exists()
    assert mailed.messages == []


class Changed(Exception):
    """The customer changed their mind."""


def test_order_that_is_rolled_back_leaves_no_task_and_no_mail(signal, mailed):
    with pytest.raises(Changed), transaction.atomic():
        place_order(name="A", email="a@example.org", lines=[(signal, 1)])
        ids = [str(task.message_id) for task in OrderTask.objects.all()]
        raise Changed
    assert len(ids) == 3
    assert not Order.objects.exists()
    assert not OrderTask.objects.exists()
    assert mailed.messages == []
    for message_id in ids:
        with pytest.raises(UnknownRun):
            Message.get(message_id)
