"""What a checkout sends, and what becomes of it; without a broker or a mail server."""

from unittest.mock import patch

from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import TestCase

from core.testing import TaskTestMixin
from shop.models import OrderEvent
from shop.services import place_order
from shop.tasks import generate_order_report, log_order_processing, update_inventory
from tests.shop.conftest import make_product


class CheckoutTasks(TaskTestMixin, TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        product = make_product("signal", "Main signal", "42.75", 1000)
        cls.order, _ = place_order(
            name="Ada", email="ada@example.org", lines=[(product, 2)]
        )

    def test_checkout_sends_three_tasks_about_its_order(self) -> None:
        about_it = [self.order.pk]
        self.assertEnqueued(generate_order_report, about_it, queue_name="email")
        self.assertEnqueued(update_inventory, about_it, count=1)
        self.assertEnqueued(log_order_processing, about_it, count=1)
        assert len(self.enqueued(broker="default")) == 3

    def test_report_is_mailed_and_by_no_second_task_again(self) -> None:
        generate_order_report.send(self.order.pk)
        assert self.drain(queue="email", raising=True) == 2
        assert [sent.to for sent in mail.outbox] == [["ada@example.org"]]
        self.assertNotEnqueued(generate_order_report)

    def test_report_is_mailed_by_the_retry_after_an_outage(self) -> None:
        with patch.object(EmailBackend, "send_messages", side_effect=OSError):
            self.drain()
        assert mail.outbox == []
        self.assertEnqueued(generate_order_report, [self.order.pk], count=1)
        self.advance_time(2_000)
        assert (self.drain(raising=True), len(mail.outbox)) == (1, 1)
        assert OrderEvent.objects.filter(kind="report mailed").count() == 1

    def test_task_for_an_order_that_is_gone_is_given_up(self) -> None:
        gone = update_inventory.send(self.order.pk + 1)
        assert self.perform(gone) == "dead"
