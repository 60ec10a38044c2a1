"""A shop with two products, its mail server, and a customer who speaks JSON."""

import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage
from django.db import connections
from django.test import Client

from core import brokers
from shop.models import Product, StockRecord


class Mailbox(AsyncMessage):
    """Keeps what arrives over SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[EmailMessage] = []

    def prepare_message(self, session: Any, envelope: Any) -> EmailMessage:
        mail = message_from_bytes(envelope.content, policy=policy)
        mail["X-RcptTo"] = ", ".join(envelope.rcpt_tos)
        return mail

    async def handle_message(self, message: EmailMessage) -> None:
        self.mails.append(message)


def free_port() -> int:
    # aiosmtpd calls back the port it was given, so it cannot be given 0.
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    yield box
    controller.stop()


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def signed_off(transactional_db: None) -> Iterator[None]:
    """Sign this process off as a worker before the flush takes its row away.

    Otherwise its next heartbeat finds the lease lost, and interrupts another test.
    """
    yield
    brokers["default"].worker_stopped()


@pytest.fixture
def signal(db: None) -> Product:
    return make_product("signal", "Main signal", "42.75", 1000)


@pytest.fixture
def lamp(db: None) -> Product:
    return make_product("lamp", "Yard lamp", "1250.20", 10)


def make_product(slug: str, name: str, price: str, stock: int) -> Product:
    product = Product.objects.create(
        slug=slug, name=name, price=Decimal(price), picture=slug
    )
    StockRecord.objects.create(product=product, quantity=stock)
    return product


def order_of(*lines: tuple[str, Any], **more: Any) -> dict[str, Any]:
    """Return the body of an order of these products and quantities."""
    return {
        "customer": {"name": "Łucja Weiß", "email": "lucja@example.org"},
        "lines": [{"product": slug, "quantity": quantity} for slug, quantity in lines],
        **more,
    }


def post(url: str, body: Any, client: Client | None = None, **more: Any) -> Any:
    """POST JSON as a new customer, or as `client`."""
    return (client or Client()).post(url, body, "application/json", **more)


def in_thread(call: Callable[[], Any]) -> Any:
    """Do it, and leave no connection of this thread behind."""
    try:
        return call()
    finally:
        connections.close_all()
