"""A double click is one order."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shop.models import Order, OrderTask, StockRecord
from tests.services.threads import in_thread
from tests.shop.conftest import order_of, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_double_click_is_one_order(signal, mailed):
    together = Barrier(2)

    def click(number: int) -> tuple[int, str]:
        together.wait(timeout=10)
        body = order_of(("signal", 2), idempotency_key="click")
        answer = in_thread(lambda: post("/api/orders/", body))
        return answer.status_code, answer.json()["order"]["reference"]

    with ThreadPoolExecutor(2) as hand:
        first, second = hand.map(click, range(2))

    assert first == second
    assert first[0] == 202
    assert Order.objects.count() == 1
    assert OrderTask.objects.count() == 3
    assert len(mailed.messages) == 1
    assert StockRecord.objects.get().quantity == 998


def test_key_in_the_header_counts_as_in_the_body(signal, mailed):
    body = order_of(("signal", 2))
    first = post("/api/orders/", body, headers={"Idempotency-Key": "k"})
    again = post("/api/orders/", {**body, "idempotency_key": "k"})
    assert again.json() == first.json()


def test_order_of_the_same_content_without_a_key_is_another_order(signal, mailed):
    post("/api/orders/", order_of(("signal", 2)))
    post("/api/orders/", order_of(("signal", 2)))
    assert Order.objects.count() == 2


def test_price_change_between_two_clicks_is_still_one_order(signal, mailed):
    body = order_of(("signal", 2), idempotency_key="k")
    first = post("/api/orders/", body)
    signal.price += 1
    signal.save()
    assert post("/api/orders/", body).json() == first.json()


@pytest.mark.parametrize(
    "other",
    [
        order_of(("signal", 3), idempotency_key="k"),
        order_of(("signal", 2), ("signal", 2), idempotency_key="k"),
        {
            **order_of(("signal", 2), idempotency_key="k"),
            "customer": {"name": "Another", "email": "lucja@example.org"},
        },
    ],
    ids=["quantity", "lines", "customer"],
)
def test_key_of_another_order_is_refused(signal, mailed, other):
    post("/api/orders/", order_of(("signal", 2), idempotency_key="k"))
    answer = post("/api/orders/", other)
    assert answer.status_code == 409
    assert "'k'" in answer.json()["error"]
    assert Order.objects.count() == 1
