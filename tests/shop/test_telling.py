"""What the shop tells others, in the transaction of what happened; without a broker."""

from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import TestCase

from core import BrokerConfigError
from core.interface.events import hand_out
from core.testing import TaskTestMixin
from shop.models import Order, Product
from shop.services import place_order
from tests.shop.conftest import make_product

#: Each event goes out to every broker with EVENTS; we look at what goes to one.
BROKER = "celery_valkey"


class Telling(TaskTestMixin, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.signal = make_product("signal", "Main signal", "42.75", 1000)
        cls.lamp = make_product("lamp", "Yard lamp", "1250.20", 10)

    def place(self, *products: Product, key: str | None = None) -> Order:
        lines = [(product, 2) for product in products]
        order, _ = place_order(
            name="Ada", email="ada@example.org", lines=lines, idempotency_key=key
        )
        return order

    def told(self) -> list[Any]:
        events = [sent.args[-1] for sent in self.enqueued(hand_out, broker=BROKER)]
        return [event["data"] for event in events if event["type"] == "order.submitted"]

    def test_order_event_has_figures_and_no_personal_data(self) -> None:
        order = self.place(self.signal, self.lamp)
        figures = {"reference": str(order.reference), "total": "2585.90", "lines": 2}
        assert self.told() == [figures]

    def test_repeated_order_publishes_one_event(self) -> None:
        self.place(self.signal, key="again")
        self.place(self.signal, key="again")
        assert len(self.told()) == 1

    def test_refused_order_publishes_no_event(self) -> None:
        with pytest.raises(ValueError, match="unsaved"):
            self.place(Product(slug="unsaved", price=1))
        with pytest.raises(KeyError), transaction.atomic():
            self.place(self.signal)
            raise KeyError
        assert self.told() == []

    def test_order_whose_event_fails_is_not_placed(self) -> None:
        bad = {**settings.BROKERS, "bad": {"BACKEND": "backends.nowhere.Backend"}}
        with self.settings(BROKERS=bad), pytest.raises(BrokerConfigError):
            self.place(self.signal)
        assert not Order.objects.exists()
