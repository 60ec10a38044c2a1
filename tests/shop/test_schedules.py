"""What the shop does by itself: its report at midnight, its carts, its stock."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from django.core import mail
from django.test import TestCase, override_settings
from django.utils import timezone
from pypdf import PdfReader

from core.interface.declarations import declared
from core.models import Run
from core.schedules import backfill, sync
from core.testing import TaskTestMixin
from shop.inventory import differences
from shop.models import (
    Order,
    Reservation,
    SalesReport,
    StockDifference,
    StockMovement,
)
from shop.services import place_order
from shop.tasks import expire_reservations, generate_sales_report, reconcile_stock
from tests.shop.conftest import make_product

BERLIN = ZoneInfo("Europe/Berlin")


def test_shop_declares_when_it_does_what() -> None:
    ours = {n: one for n, one in declared().items() if one.actor_name[:5] == "shop."}
    assert {name: one.said.trigger.words(name) for name, one in ours.items()} == {
        "sales report": "At 00:00, UTC",
        "abandoned carts": "Every minute",
        "stock taking": "Every hour, UTC",
    }


class WhatComesByItself(TaskTestMixin, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.signal = make_product("signal", "Main signal", "42.75", 1000)
        cls.bridge = make_product("bridge", "Girder bridge", "49.90", 1000)
        cls.order, _ = place_order(
            name="Ada",
            email="ada@example.org",
            lines=[(cls.signal, 2), (cls.bridge, 1)],
        )

    @override_settings(TIME_ZONE="Europe/Berlin")
    def test_midnight_report_is_of_the_day_before_its_sending(self) -> None:
        late = datetime(2026, 5, 1, 23, 59, tzinfo=BERLIN)
        Order.objects.update(created_at=late)
        generate_sales_report.send()
        Run.objects.update(created_at=late + timedelta(minutes=1))
        self.drain(raising=True)
        (sent,) = [one for one in mail.outbox if one.subject == "Sales of 2026-05-01"]
        assert sent.to == ["admin@example.org"]
        (name, content, kind) = sent.attachments[0]
        assert (name, kind) == ("sales-2026-05-01.pdf", "application/pdf")
        text = PdfReader(BytesIO(content)).pages[0].extract_text()
        # In the chart, and in the table below it.
        assert text.count("85.50") == text.count("Main signal") == 2
        assert text.count("49.90") == text.count("Girder bridge") == 2
        assert SalesReport.objects.get().orders == 1

    def test_report_of_a_slot_of_the_past_is_of_the_day_before_it(self) -> None:
        sync()
        days = [datetime(2026, 5, day, tzinfo=UTC) for day in (2, 3)]
        assert len(backfill("sales report", days)) == 2
        self.drain(raising=True)
        subjects = {one.subject for one in mail.outbox if "Sales" in one.subject}
        assert subjects == {"Sales of 2026-05-01", "Sales of 2026-05-02"}

    def test_report_of_a_day_without_sales_has_no_chart(self) -> None:
        generate_sales_report.send("2020-01-01")
        self.drain(raising=True)
        (sent,) = [one for one in mail.outbox if one.subject == "Sales of 2020-01-01"]
        assert sent.body.startswith("0 orders")

    def test_cart_is_seen_by_others_until_it_is_left_for_long(self) -> None:
        self.client.post("/cart/add/", {"product": "signal", "quantity": 3})
        assert "1000 in stock, 3 in carts" in self.page()
        expire_reservations.send()
        self.drain(raising=True)
        assert "3 in carts" in self.page()
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        expire_reservations.send()
        self.drain(raising=True)
        assert "in carts" not in self.page()

    def page(self) -> str:
        return self.client_class().get("/products/signal/").content.decode()

    def test_changed_cart_renews_its_reservation(self) -> None:
        self.client.post("/cart/add/", {"product": "signal", "quantity": 3})
        Reservation.objects.update(expires_at=timezone.now())
        self.client.post("/cart/update/", {"product": "signal", "quantity": 5})
        kept = Reservation.objects.get()
        assert kept.quantity == 5
        assert kept.expires_at > timezone.now() + timedelta(minutes=14)
        self.client.post("/cart/update/", {"product": "signal", "quantity": 0})
        assert not Reservation.objects.exists()

    def test_stock_that_is_as_the_orders_say_is_passed_over(self) -> None:
        assert [found.product for found in differences()] == []
        self.drain(raising=True)
        reconcile_stock.send()
        self.drain(raising=True)
        assert not StockDifference.objects.exists()

    def test_movement_that_happened_twice_is_told(self) -> None:
        self.drain(raising=True)
        moved = StockMovement.objects.get(product=self.signal)
        StockMovement.objects.create(
            order=self.order, product=self.signal, quantity=moved.quantity
        )
        reconcile_stock.send()
        with self.assertLogs("shop.tasks", "ERROR") as logged:
            self.drain(raising=True)
        found = StockDifference.objects.get()
        assert (found.product, found.ordered, found.moved) == (self.signal, 2, 4)
        assert logged.records[0].getMessage() == (
            "Stock of Main signal: 2 ordered, 4 moved"
        )
