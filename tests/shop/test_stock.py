"""No more is sold than there is, and what is sold out is said."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError

from shop.models import Order, OrderEvent, OrderLine, StockMovement, StockRecord
from shop.tasks import update_inventory
from tests.shop.conftest import in_thread, order_of, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_fifty_customers_at_once_buy_the_last_ten_and_no_more(lamp, mailed):
    def checkout(number: int) -> int:
        body = order_of(("lamp", 1))
        return in_thread(lambda: post("/api/orders/", body).status_code)

    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(checkout, range(50)))

    assert answers == [202] * 50
    assert StockRecord.objects.get(product=lamp).quantity == 0
    assert StockMovement.objects.filter(product=lamp, quantity=-1).count() == 10
    assert OrderLine.objects.filter(sold_out=True).count() == 40
    assert OrderEvent.objects.filter(kind="sold out").count() == 40


def test_line_that_cannot_be_filled_is_reported_and_the_other_is_sold(
    lamp, signal, mailed
):
    post("/api/orders/", order_of(("lamp", 11), ("signal", 4)))
    sold_out = dict(OrderLine.objects.values_list("product__slug", "sold_out"))
    assert sold_out == {"lamp": True, "signal": False}
    stock = dict(StockRecord.objects.values_list("product__slug", "quantity"))
    assert stock == {"lamp": 10, "signal": 996}
    assert OrderEvent.objects.get(kind="sold out").text == "11 x Yard lamp"


def test_order_taken_out_by_hand_again_moves_no_stock(signal, mailed):
    post("/api/orders/", order_of(("signal", 4)))
    update_inventory.send(Order.objects.get().pk)
    assert StockMovement.objects.count() == 1
    assert StockRecord.objects.get().quantity == 996
    assert OrderEvent.objects.filter(kind="stock had been updated").count() == 1


def test_database_itself_refuses_a_negative_stock(signal):
    with pytest.raises(IntegrityError):
        StockRecord.objects.update(quantity=-1)
