"""Staff, and only staff, start tasks by hand."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from shop.models import Order, OrderEvent, SalesReport
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)

TYPES = ["order-report", "inventory", "order-log", "sales-report"]


def logged_in(*, staff: bool, strict: bool = False) -> Client:
    client = Client(enforce_csrf_checks=strict)
    client.force_login(
        get_user_model().objects.create_user("someone", is_staff=staff, password="x")
    )
    return client


@pytest.fixture
def staff() -> Client:
    return logged_in(staff=True)


@pytest.fixture
def reference(signal, mailed) -> str:
    """An order that is through."""
    answer = post("/api/orders/", order_of(("signal", 2)))
    return answer.json()["order"]["reference"]


@pytest.mark.parametrize("task_type", TYPES[:3])
def test_staff_start_a_task_for_an_order_and_follow_it(staff, reference, task_type):
    answer = post(f"/tasks/{task_type}/", {"order": reference}, staff)
    assert answer.status_code == 202
    followed = Client().get(answer.json()["status_url"]).json()
    assert followed["status"] == "succeeded"
    assert (followed["id"], followed["task"]) == (
        answer.json()["id"],
        answer.json()["task"],
    )


def test_order_log_started_by_hand_is_noted(staff, reference):
    post("/tasks/order-log/", {"order": reference}, staff)
    assert OrderEvent.objects.filter(kind="processed").count() == 2


def test_sales_report_of_a_day_is_mailed_to_the_admin(
    staff, reference, mailed, media, settings
):
    settings.SHOP_ADMIN_EMAIL = "boss@example.org"
    day = timezone.localdate(Order.objects.get().created_at)
    answer = post("/tasks/sales-report/", {"day": day.isoformat()}, staff)
    assert answer.status_code == 202

    report = SalesReport.objects.get()
    assert (report.day, report.orders, report.total) == (day, 1, Decimal("85.50"))
    mail = mailed.messages[-1]
    assert mail["To"] == "boss@example.org"
    [attached] = mail.iter_attachments()
    assert attached.get_content() == (media / report.pdf).read_bytes()
    text = PdfReader(BytesIO(attached.get_content())).pages[0].extract_text()
    assert "Main signal" in text
    assert "85.50" in text


def test_sales_report_counts_what_was_sold_not_what_was_sold_out(
    staff, lamp, signal, mailed
):
    post("/api/orders/", order_of(("lamp", 11), ("signal", 1)))
    day = timezone.localdate(Order.objects.get().created_at)
    post("/tasks/sales-report/", {"day": day.isoformat()}, staff)
    assert SalesReport.objects.get().total == Decimal("42.75")


def test_sales_report_of_a_day_without_orders_says_so(staff, mailed):
    post("/tasks/sales-report/", {"day": "2020-02-29"}, staff)
    report = SalesReport.objects.get()
    assert (report.orders, report.total) == (0, 0)
    assert len(mailed.messages) == 1


def test_unknown_task_type_is_answered_with_the_known_ones(staff):
    answer = post("/tasks/launch/", {}, staff)
    assert answer.status_code == 400
    assert answer.json()["known"] == TYPES
    assert "'launch'" in answer.json()["error"]


UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("task_type", "body", "field"),
    [
        ("order-report", {}, "order"),
        ("order-report", {"order": 7}, "order"),
        ("order-report", {"order": "seven"}, "order"),
        ("order-report", {"order": UNKNOWN}, "order"),
        ("order-report", {"order": UNKNOWN, "day": "2026-01-31"}, "day"),
        ("sales-report", {}, "day"),
        ("sales-report", {"day": "yesterday"}, "day"),
        ("sales-report", {"day": 20260131}, "day"),
        ("sales-report", {"day": "2026-02-30"}, "day"),
        ("sales-report", [], "body"),
        ("sales-report", "{", "body"),
    ],
)
def test_wrong_parameter_is_refused_by_name(staff, task_type, body: Any, field):
    answer = post(f"/tasks/{task_type}/", body, staff)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


@pytest.mark.parametrize("task_type", [*TYPES, "launch"])
def test_anonymous_user_starts_nothing(task_type, sent):
    stranger = Client(enforce_csrf_checks=True)
    answer = post(f"/tasks/{task_type}/", {"day": "2026-01-31"}, stranger)
    assert answer.status_code == 401
    assert "known" not in answer.json()
    assert sent == []


def test_customer_with_a_login_starts_nothing(sent):
    customer = logged_in(staff=False)
    answer = post("/tasks/sales-report/", {"day": "2026-01-31"}, customer)
    assert answer.status_code == 403
    assert "error" in answer.json()
    assert sent == []


def test_foreign_page_cannot_make_staff_start_a_task(sent):
    lured = logged_in(staff=True, strict=True)
    answer = post("/tasks/sales-report/", {"day": "2026-01-31"}, lured)
    assert answer.status_code == 403
    assert sent == []


def test_own_page_starts_a_task_with_its_token(sent):
    browser = logged_in(staff=True, strict=True)
    token = browser.get("/admin/password_change/").cookies["csrftoken"].value
    answer = post(
        "/tasks/sales-report/",
        {"day": "2026-01-31"},
        browser,
        headers={"X-CSRFToken": token},
    )
    assert answer.status_code == 202
    assert [message.args for message in sent] == [("2026-01-31",)]


def test_task_is_not_started_by_a_link(staff):
    answer = staff.get("/tasks/sales-report/")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
