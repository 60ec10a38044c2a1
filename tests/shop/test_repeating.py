"""Every task of the shop may run twice: a crash at any step leaves no trace."""

from typing import Any

import pytest

from core.testing import assert_safe_to_repeat
from shop import tasks
from shop.models import Order, Product
from tests.shop.conftest import order_of, post

TASKS = [
    tasks.generate_order_report,
    tasks.update_inventory,
    tasks.log_order_processing,
]


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("actor", TASKS, ids=lambda actor: str(actor.actor_name))
def test_task_of_an_order_may_run_twice(
    actor: Any, signal: Product, lamp: Product
) -> None:
    assert post("/api/orders/", order_of(("signal", 2), ("lamp", 11))).status_code < 300
    assert_safe_to_repeat(actor, Order.objects.get().pk)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize("args", [("2026-01-31",), ()])
def test_sales_report_may_be_made_twice(args: tuple[str, ...]) -> None:
    assert_safe_to_repeat(tasks.generate_sales_report, *args)


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    "actor", [tasks.expire_reservations, tasks.reconcile_stock], ids=str
)
def test_task_of_the_clock_may_run_twice(actor: Any, signal: Product) -> None:
    assert_safe_to_repeat(actor)
