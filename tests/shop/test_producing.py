"""Staff with permission, and services with the token, start tasks."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from core import actor
from shop.models import Order, OrderEvent, SalesReport
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)

TYPES = ["order-report", "inventory", "order-log", "sales-report"]


@actor(store_results=True)
def keeps(number: int) -> dict[str, int]:
    return {"twice": 2 * number}


def logged_in(*may: str, staff: bool = True, strict: bool = False) -> Client:
    """Return a user who may start tasks of these types, of all if none is given."""
    user = get_user_model().objects.create_user("someone", is_staff=staff, password="x")
    names = [f"start_{name.replace('-', '_')}" for name in may or TYPES]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    return client


def service(token: str) -> Client:
    """Return a program that sends a token, and no cookie."""
    bearer = {"authorization": f"Bearer {token}"}
    return Client(enforce_csrf_checks=True, headers=bearer)


@pytest.fixture
def staff() -> Client:
    return logged_in()


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
        ("sales-report", {"day": "2026-01-31", "priority": 101}, "priority"),
        ("sales-report", {"day": "2026-01-31", "priority": True}, "priority"),
        ("sales-report", {"day": "2026-01-31", "priority": "-1"}, "priority"),
        (
            "sales-report",
            {"day": "2026-01-31", "idempotency_key": 7},
            "idempotency_key",
        ),
        ("sales-report", {"day": "2026-01-31", "delay": 7}, "delay"),
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
    lured = logged_in(strict=True)
    answer = post("/tasks/sales-report/", {"day": "2026-01-31"}, lured)
    assert answer.status_code == 403
    assert sent == []


def test_own_page_starts_a_task_with_its_token(sent):
    browser = logged_in(strict=True)
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


@pytest.mark.parametrize("task_type", TYPES)
def test_each_task_type_needs_its_permission(task_type, reference, sent):
    body = {"day": "2026-01-31"} if task_type == TYPES[-1] else {"order": reference}
    clerk = logged_in(task_type)
    sent.clear()
    for other in TYPES:
        answer = post(f"/tasks/{other}/", body, clerk)
        assert answer.status_code == (202 if other == task_type else 403)
        if answer.status_code == 403:
            assert f"shop.start_{other.replace('-', '_')}" in answer.json()["error"]
    assert len(sent) == 1


def test_service_starts_a_task_with_its_token(settings, sent):
    settings.PRODUCER_TOKEN = "t0ken"
    body = {"day": "2026-01-31"}
    assert post("/tasks/sales-report/", body, service("t0ken")).status_code == 202
    assert [message.args for message in sent] == [("2026-01-31",)]


@pytest.mark.parametrize("token", ["", "wrong", "t0ken2"])
@pytest.mark.parametrize("known", ["", "t0ken"])
def test_service_without_the_token_starts_nothing(token, known, settings, sent):
    settings.PRODUCER_TOKEN = known
    answer = post("/tasks/sales-report/", {"day": "2026-01-31"}, service(token))
    assert answer.status_code == 401
    assert sent == []


def test_caller_chooses_the_priority(staff, sent):
    post("/tasks/sales-report/", {"day": "2026-01-31", "priority": -10}, staff)
    assert [message.options for message in sent] == [{"priority": -10}]


@pytest.mark.parametrize("in_header", [False, True])
def test_same_key_starts_one_task(staff, reference, in_header):
    headers = {"Idempotency-Key": "monday"} if in_header else {}
    key = {} if in_header else {"idempotency_key": "monday"}
    first, second = (
        post("/tasks/order-log/", {"order": reference, **key}, staff, headers=headers)
        for _ in range(2)
    )
    assert first.json()["id"] == second.json()["id"]
    assert OrderEvent.objects.filter(kind="processed").count() == 2  # and at the order


def test_same_key_for_another_task_is_a_conflict(staff):
    for day, status in (("2026-01-31", 202), ("2026-02-01", 409)):
        body = {"day": day, "idempotency_key": "monday"}
        assert post("/tasks/sales-report/", body, staff).status_code == status


def test_task_shows_its_result_if_that_is_kept(staff):
    kept, not_kept = keeps.send(7), keeps.using(store_results=False).send(7)
    shown = Client().get(f"/api/tasks/{kept.message_id}/").json()
    assert (shown["status"], shown["result"]) == ("succeeded", {"twice": 14})
    assert "result" not in Client().get(f"/api/tasks/{not_kept.message_id}/").json()
