"""A wrong order is refused by name, and changes nothing."""

from typing import Any

import pytest
from django.test import Client

from shop.models import Order
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = order_of(("signal", 1))

#: An id that nothing has.
NOBODY = "0c5f4a0e-6a3a-4bb5-9d0c-0f7b8d5c9f11"


def by(**customer: Any) -> dict[str, Any]:
    return {**GOOD, "customer": {**GOOD["customer"], **customer}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{", "body"),
        pytest.param("[" * 100_000, "body", id="nested too deep"),
        (b"\xff\xfe", "body"),
        ("", "body"),
        ('{"lines": NaN}', "body"),
        ([], "body"),
        ({**GOOD, "customer": None}, "customer"),
        (by(name=None), "customer.name"),
        (by(name="  "), "customer.name"),
        (by(name="n" * 101), "customer.name"),
        (by(name="a\x00b"), "customer.name"),
        (by(name="a\nBcc: b"), "customer.name"),
        (by(email=None), "customer.email"),
        (by(email="nobody"), "customer.email"),
        (by(email=f"{'e' * 250}@example.org"), "customer.email"),
        ({**GOOD, "lines": []}, "lines"),
        ({**GOOD, "lines": "signal"}, "lines"),
        ({**GOOD, "lines": GOOD["lines"] * 51}, "lines"),
        ({**GOOD, "lines": ["signal"]}, "lines.0"),
        (order_of(("signal", 1), ("nothing", 1)), "lines.1.product"),
        (order_of((None, 1)), "lines.0.product"),
        (order_of(("signal", 0)), "lines.0.quantity"),
        (order_of(("signal", -1)), "lines.0.quantity"),
        (order_of(("signal", 1001)), "lines.0.quantity"),
        (order_of(("signal", 1.0)), "lines.0.quantity"),
        (order_of(("signal", "1")), "lines.0.quantity"),
        (order_of(("signal", True)), "lines.0.quantity"),
        ({**GOOD, "idempotency_key": 7}, "idempotency_key"),
        ({**GOOD, "coupon": "x"}, "coupon"),
        (by(phone="112"), "customer.phone"),
        ({**GOOD, "lines": [{**GOOD["lines"][0], "price": 1}]}, "lines.0.price"),
        ({**GOOD, "idempotency_key": "k" * 101}, "idempotency_key"),
    ],
)
def test_wrong_order_is_refused_by_the_name_of_its_field(signal, body, field):
    answer = post("/api/orders/", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert set(answer.json()["error"]) == {"field", "value", "problem"}
    assert not Order.objects.exists()


def test_refusal_shows_the_value_and_the_problem(signal):
    answer = post("/api/orders/", order_of(("singal", 1)))
    assert answer.json()["error"] == {
        "field": "lines.0.product",
        "value": "singal",
        "problem": "is no product of ours",
    }


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_orders_are_only_posted(method):
    answer = getattr(Client(), method)("/api/orders/")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"


@pytest.mark.parametrize("url", [f"/api/orders/{NOBODY}/", f"/api/tasks/{NOBODY}/"])
def test_status_page_only_answers_get(url):
    assert Client().post(url).status_code == 405


@pytest.mark.parametrize("task", [NOBODY, "7", "no-id-at-all", "%00"])
def test_unknown_task_is_not_found_in_json(task):
    answer = Client().get(f"/api/tasks/{task}/")
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_unknown_order_is_not_found_in_json():
    answer = Client().get(f"/api/orders/{NOBODY}/")
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_program_needs_no_csrf_token_to_order(signal, mailed):
    strict = Client(enforce_csrf_checks=True)
    assert post("/api/orders/", GOOD, client=strict).status_code == 202
