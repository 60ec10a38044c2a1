"""No more is sold than there is, and what is sold out is said."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from shop.models import Order, OrderEvent, OrderLine, StockMovement, StockRecord
from shop.tasks import update_inventory
from tests.services.threads import in_thread
from tests.shop.conftest import order_of, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_customers_at_once_buy_the_last_pieces_and_no_more(lamp, mailed):
    # SQLite has one writer and no queue for it: of fifty who wait, one may starve.
    customers, pieces = (10, 3) if connection.vendor == "sqlite" else (50, 10)
    StockRecord.objects.filter(product=lamp).update(quantity=pieces)

    def checkout(number: int) -> int:
        body = order_of(("lamp", 1))
        return in_thread(lambda: post("/api/orders/", body).status_code)

    with ThreadPoolExecutor(customers) as crowd:
        answers = list(crowd.map(checkout, range(customers)))

    assert answers == [202] * customers
    assert StockRecord.objects.get(product=lamp).quantity == 0
    assert StockMovement.objects.filter(product=lamp, quantity=-1).count() == pieces
    late = customers - pieces
    assert OrderLine.objects.filter(sold_out=True).count() == late
    assert OrderEvent.objects.filter(kind="sold out").count() == late


def test_sold_out_line_is_reported_and_the_others_sold(lamp, signal, mailed):
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
