"""A shop with two products, or with all, and a customer who speaks JSON."""

import os
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from project.demo.processes import Shop
from shop.models import Product, StockRecord
from shop.seeds import seed_products
from tests.services.environment import free_port
from tests.services.shops import fill
from tests.services.smtp import SmtpServer


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture(autouse=True)
def performs_tasks_here(transactional_db: None) -> None:
    """Every test of the shop performs its tasks in this process."""


@pytest.fixture
def assortment(db: None) -> None:
    """Fill the shelves as a new shop's are."""
    seed_products()


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


@pytest.fixture
def service(request: pytest.FixtureRequest, shop: Shop) -> Any:
    """The broker's server that the running shop uses."""
    _, _, server = request.node.callspec.params["shop"].partition("_")
    return request.getfixturevalue(server)


@pytest.fixture(scope="session")
def new_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a shop with its tables and its assortment, to be copied."""
    file = tmp_path_factory.mktemp("new") / "shop.sqlite3"
    fill(f"sqlite:///{file}")
    return file


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, smtp: SmtpServer, new_shop: Path, tmp_path: Path
) -> Iterator[Shop]:
    """A shop of its own, started as an operator would; the param is a combination."""
    engine, _, server = request.param.partition("_")
    environment = {
        "DJANGO_SETTINGS_MODULE": "settings.dev",
        "TASK_BACKEND": engine,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
        "EMAIL_URL": smtp.url,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "NAMESPACE": f"switch-{os.getpid()}",
    }
    if server:
        environment["BROKER_URL"] = request.getfixturevalue(server).url
    shutil.copy(new_shop, tmp_path)
    running = Shop(environment, free_port(), tmp_path / "logs")
    try:
        running.start()
        yield running
    finally:
        running.stop()
