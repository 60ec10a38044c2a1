"""The same shop under every combination; only environment variables differ."""

from typing import Any

import pytest

from project.demo import customers
from project.demo.processes import Shop
from tests.conformance.combinations import COMBINATIONS
from tests.services.smtp import SmtpServer

pytestmark = pytest.mark.slow

LINES = [[{"product": "boxcar-gs", "quantity": 2}]]


@pytest.mark.parametrize("shop", list(COMBINATIONS), indirect=True)
def test_order_completes_and_its_report_is_mailed(shop: Shop, smtp: SmtpServer) -> None:
    (placed,) = customers.place(shop.url, "switch", LINES)
    customers.follow(shop.url, [placed], lambda done, total: None)
    order: dict[str, Any] = customers.get_json(shop.url + placed.status_url)
    assert {task["status"] for task in order["tasks"]} == {"succeeded"}
    assert [line["sold_out"] for line in order["lines"]] == [False]
    (mail,) = [m for m in smtp.messages if placed.email in m["To"]]
    assert [part.get_content_type() for part in mail.iter_attachments()] == [
        "application/pdf"
    ]
