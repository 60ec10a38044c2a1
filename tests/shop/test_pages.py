"""The shop as a customer walks through it."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from shop.models import Order, StockRecord

pytestmark = pytest.mark.django_db(transaction=True)

FORM = {"name": "Ada", "email": "ada@example.org", "idempotency_key": "one-page"}


def put_in_cart(client: Client, slug: str, quantity: int = 1) -> Any:
    return client.post(
        "/cart/add/", {"product": slug, "quantity": quantity}, follow=True
    )


def test_catalogue_shows_every_product(client: Client, assortment: None) -> None:
    page = client.get("/").text
    assert "Boxcar Gs" in page
    assert page.count("Add to cart") == StockRecord.objects.count()


def test_customer_orders_what_is_in_the_cart(
    client: Client, assortment: None, mailed: Any
) -> None:
    put_in_cart(client, "boxcar-gs", 2)
    put_in_cart(client, "boxcar-gs", 1)
    page = client.post("/checkout/", FORM, follow=True)
    order = Order.objects.get()
    assert page.redirect_chain[-1][0] == f"/orders/{order.reference}/"
    assert [(line.name, line.quantity) for line in order.lines.all()] == [
        ("Boxcar Gs", 3)
    ]
    assert page.text.count(">done<") == 3
    assert "nothing in it yet" in client.get("/cart/").text


def test_report_can_be_read_from_the_order_page(
    client: Client, assortment: None, mailed: Any
) -> None:
    put_in_cart(client, "boxcar-gs")
    page = client.post("/checkout/", FORM, follow=True)
    report = client.get(f"{page.redirect_chain[-1][0]}report.pdf")
    assert report["Content-Type"] == "application/pdf"
    assert b"".join(report.streaming_content).startswith(b"%PDF")


def test_double_click_on_the_checkout_is_one_order(
    client: Client, assortment: None, mailed: Any
) -> None:
    put_in_cart(client, "boxcar-gs")
    first, second = (client.post("/checkout/", FORM) for _ in range(2))
    assert first.url == second.url
    assert Order.objects.count() == 1


def test_every_checkout_page_is_a_new_order(client: Client, assortment: None) -> None:
    put_in_cart(client, "boxcar-gs")
    keys = {
        re.search(r'idempotency_key" value="(\w+)"', client.get("/checkout/").text)[1]
        for _ in range(2)
    }
    assert len(keys) == 2


def test_empty_cart_cannot_be_ordered(client: Client, assortment: None) -> None:
    page = client.post("/checkout/", FORM, follow=True)
    assert "Your cart is empty" in page.text
    assert not Order.objects.exists()


def test_wrong_address_shows_the_form_again(client: Client, assortment: None) -> None:
    put_in_cart(client, "boxcar-gs")
    page = client.post("/checkout/", {**FORM, "email": "no"})
    assert "Enter a valid email address" in page.text
    assert not Order.objects.exists()


@pytest.mark.parametrize("quantity", ["0", "-1", "1001", "many", ""])
def test_wrong_quantity_is_refused(
    client: Client, assortment: None, quantity: str
) -> None:
    page = client.post(
        "/cart/add/", {"product": "boxcar-gs", "quantity": quantity}, follow=True
    )
    assert "whole number from 1 to 1000" in page.text
    assert "is in your cart" not in page.text
    assert "nothing in it yet" in page.text


def test_quantity_of_zero_takes_a_product_out(client: Client, assortment: None) -> None:
    put_in_cart(client, "boxcar-gs")
    client.post("/cart/update/", {"product": "boxcar-gs", "quantity": 0})
    assert "nothing in it yet" in client.get("/cart/").text


def test_order_of_somebody_else_cannot_be_guessed(
    client: Client, assortment: None
) -> None:
    page = client.get(f"/orders/{uuid4()}/")
    assert page.status_code == 404
    assert "This track ends here" in page.text


@pytest.mark.parametrize("url", ["/", "/products/boxcar-gs/", "/cart/", "/checkout/"])
def test_pages_need_no_inline_script_or_style(
    client: Client, assortment: None, url: str
) -> None:
    put_in_cart(client, "boxcar-gs")
    page = client.get(url).text
    assert not re.search(r"<style|style=|<script(?! src)| on\w+=", page)
