"""What whoever runs or builds on the shop may count on."""

import ast
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

import core
import shop
from shop.models import Order, Product, StockRecord
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)

SHOP = Path(shop.__file__).parent


def taken_from_core(file: Path) -> set[str]:
    """Return what a file imports from core; a whole module by its dotted name."""
    taken: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            taken.update(a.name for a in node.names if a.name.startswith("core"))
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "core":
                taken.update(alias.name for alias in node.names)
            elif node.module.startswith("core."):
                taken.add(node.module)
    return taken


def test_shop_uses_only_what_core_shows():
    taken = {file.name: taken_from_core(file) for file in SHOP.rglob("*.py")}
    assert "actor" in taken["tasks.py"]
    assert set().union(*taken.values()) <= set(core.__all__)


def test_new_shop_has_a_dozen_products_of_1000_each():
    call_command("seed_shop", verbosity=0)
    assert Product.objects.count() >= 12
    assert set(StockRecord.objects.values_list("quantity", flat=True)) == {1000}
    assert StockRecord.objects.count() == Product.objects.count()


def test_seeding_again_adds_nothing_and_refills_nothing(mailed):
    call_command("seed_shop")
    post("/api/orders/", order_of(("boxcar-gs", 7)))
    before = Product.objects.count()
    call_command("seed_shop")
    assert Product.objects.count() == before
    assert StockRecord.objects.get(product__slug="boxcar-gs").quantity == 993


@pytest.mark.parametrize("passwords", [["first"], ["first", "second"]])
def test_admin_logs_in_with_the_password_that_was_given_last(passwords):
    for password in passwords:
        call_command("seed_shop", admin_password=password)
    browser = Client()
    assert browser.login(username="admin", password=passwords[-1])
    assert browser.get("/admin/shop/product/").status_code == 200


def test_admin_reads_orders_and_changes_none(signal, mailed):
    call_command("seed_shop", admin_password="x")
    post("/api/orders/", order_of(("signal", 1)))
    browser = Client()
    browser.login(username="admin", password="x")
    page = f"/admin/shop/order/{Order.objects.get().pk}/change/"
    assert "Main signal" in browser.get(page).text
    assert browser.post(page, {"name": "Changed"}).status_code == 403
    assert browser.get("/admin/shop/order/add/").status_code == 403


def test_catalogue_is_edited_in_the_admin(signal):
    call_command("seed_shop", admin_password="x")
    browser = Client()
    browser.login(username="admin", password="x")
    page = browser.get(f"/admin/shop/product/{signal.pk}/change/")
    assert 'name="stock-0-quantity"' in page.text
