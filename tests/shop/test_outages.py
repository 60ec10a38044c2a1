"""Customers who check out while the broker is in trouble."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from project.demo import customers
from project.demo.processes import Shop
from tests.conformance.stacks import ANSWERED, DONE
from tests.services.faults import alarmed, down, frozen
from tests.services.waiting import in_time
from tests.shop.test_switch import LINES

pytestmark = pytest.mark.slow

#: Each fault on one broker of each engine; the conformance suite has them all.
FAULTS = [
    pytest.param("celery_valkey", frozen, id="frozen-celery_valkey"),
    pytest.param("celery_rabbitmq", alarmed, id="alarmed-celery_rabbitmq"),
    pytest.param("dramatiq_valkey", down, id="down-dramatiq_valkey"),
    pytest.param("dramatiq_rabbitmq", frozen, id="frozen-dramatiq_rabbitmq"),
]


@pytest.mark.parametrize(("shop", "fault"), FAULTS, indirect=["shop"])
def test_checkout_answers_and_the_order_is_done_soon_after(
    shop: Shop, fault: Callable[[Any], Any], service: Any
) -> None:
    placed, longest = [], 0.0
    with fault(service):
        for _ in range(10):
            start = time.monotonic()
            placed += customers.place(shop.url, "outage", LINES)
            longest = max(longest, time.monotonic() - start)
    back = time.monotonic()
    customers.follow(shop.url, placed, lambda done, total: None)
    in_time(time.monotonic() - back, DONE, "all orders are done")
    statuses = [
        task["status"]
        for order in placed
        for task in customers.get_json(shop.url + order.status_url)["tasks"]
    ]
    assert statuses == ["succeeded"] * 30
    in_time(longest, ANSWERED, "each checkout answers")
