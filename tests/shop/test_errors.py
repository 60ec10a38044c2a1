"""What is answered when something goes wrong: pages to people, JSON to programs."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client

from shop.models import Product
from tests.shop.conftest import order_of, post

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = "0c5f4a0e-6a3a-4bb5-9d0c-0f7b8d5c9f11"
#: What a view raises, by the status that it leads to.
RAISED = {
    400: SuspiciousOperation,
    403: PermissionDenied,
    404: Http404,
    500: RuntimeError,
}
#: Asked for with a method, and the status of its answer.
WRONG = [
    ("post", "/api/orders", 404),
    ("get", "/api/orders", 404),
    ("post", "/tasks/order-log", 404),
    ("get", "/api/", 404),
    ("get", "/api", 404),
    ("get", "/api/nothing/", 404),
    ("get", "/api/orders/seven/", 404),
    ("get", f"/api/orders/{NOBODY}/", 404),
    ("get", "/api/tasks/seven/", 404),
    ("get", "/tasks/", 404),
    ("put", "/api/orders/", 405),
    ("delete", f"/api/tasks/{NOBODY}/", 405),
    ("options", f"/api/orders/{NOBODY}/", 405),
    ("get", "/tasks/order-log/", 405),
    ("post", "/tasks/order-log/", 401),
]


@pytest.fixture(params=[False, True], ids=["in production", "while developing"])
def debug(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.DEBUG = request.param
    return settings.DEBUG


def is_told(answer: Any, status: int) -> str:
    """Return the problem of an answer that a program understands."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    (name,) = answer.json()
    assert name == "error"
    return str(answer.json()["error"])


@pytest.mark.usefixtures("debug")
@pytest.mark.parametrize(("method", "path", "status"), WRONG)
def test_error_of_the_api_is_json(method: str, path: str, status: int) -> None:
    client = Client(raise_request_exception=False)
    assert is_told(getattr(client, method)(path), status)


@pytest.mark.usefixtures("debug")
def test_missing_slash_is_told_with_the_address() -> None:
    told = is_told(Client().post("/api/orders"), 404)
    assert "write /api/orders/" in told


@pytest.mark.usefixtures("debug")
def test_fault_of_our_own_is_json_without_a_traceback(
    signal: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the boiler is cold")

    monkeypatch.setattr("shop.views.api.place_order", fail)
    client = Client(raise_request_exception=False)
    answer = post("/api/orders/", order_of(("signal", 1)), client)
    assert "boiler" not in is_told(answer, 500)


@pytest.mark.usefixtures("debug")
def test_body_that_is_too_large_is_refused_with_the_limit() -> None:
    most = configured.DATA_UPLOAD_MAX_MEMORY_SIZE
    answer = post("/api/orders/", "x" * (most + 1))
    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (413, "body")
    assert str(most) in error["problem"]


@pytest.mark.usefixtures("debug")
def test_foreign_host_is_told_in_json(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.org"]
    assert is_told(Client().get("/api/tasks/x/", headers={"host": "evil.test"}), 400)


def test_form_without_its_cookie_gets_a_page_of_the_shop(
    debug: bool, assortment: None
) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/cart/add/", {"product": "boxcar-gs", "quantity": 1})
    assert answer.status_code == 403
    assert "Switchyard" in answer.text
    assert "cookie" in answer.text


@pytest.mark.parametrize("status", RAISED)
def test_every_error_has_a_page_of_the_shop(
    status: int, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RAISED[status]

    settings.DEBUG = False
    monkeypatch.setattr("shop.views.pages.render", fail)
    answer = Client(raise_request_exception=False).get("/cart/")
    assert answer.status_code == status
    assert "Switchyard <em>Supply</em>" in answer.text
    assert "Back to the catalogue" in answer.text or "your cart" in answer.text


def test_more_than_an_order_may_have_is_refused(
    client: Client, assortment: None
) -> None:
    form = {"product": "boxcar-gs", "quantity": 600}
    assert "is in your cart" in client.post("/cart/add/", form, follow=True).text
    page = client.post("/cart/add/", form, follow=True).text
    assert "at most 1000 of Boxcar Gs: nothing was added" in page
    assert 'aria-label="600 in the cart"' in page
