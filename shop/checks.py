"""Reading an order out of JSON: every wrong value is answered by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from shop.models import Order, Product

MAX_LINES = 50
MAX_QUANTITY = 1000


class Refused(ValueError):
    """A value that the customer has to correct."""

    def __init__(
        self, field: str, value: object, problem: str, status: int = 400
    ) -> None:
        super().__init__(field, value, problem, status)
        self.field = field
        self.value = value
        self.problem = problem
        #: The HTTP status that tells it.
        self.status = status

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Draft:
    """Arguments of `place_order`."""

    name: str
    email: str
    lines: list[tuple[Product, int]]
    idempotency_key: str | None


def read_order(given: Any, header_key: str | None = None) -> Draft:
    """Return the checked order; `header_key` holds if the body names no key.

    Raises `Refused`: the first wrong value.
    """
    body = mapping("body", given, "customer", "lines", "idempotency_key")
    customer = mapping("customer", body.get("customer"), "name", "email")
    key = body.get("idempotency_key", header_key)
    return Draft(
        _text("customer.name", customer.get("name"), _longest("name")),
        _email("customer.email", customer.get("email")),
        _lines(body.get("lines")),
        read_key(key),
    )


def read_key(value: Any) -> str | None:
    """Return an idempotency key; None if none is given."""
    if value is None:
        return None
    return _text("idempotency_key", value, _longest("idempotency_key"))


def _longest(field: str) -> int:
    return int(Order._meta.get_field(field).max_length)


def mapping(field: str, value: Any, *known: str) -> Mapping[str, Any]:
    """Return a JSON object that has no names but these."""
    if not isinstance(value, dict):
        raise Refused(field, value, "must be an object")
    for name in value.keys() - {*known}:
        where = name if field == "body" else f"{field}.{name}"
        raise Refused(where, value[name], f"is unknown; known are {', '.join(known)}")
    return value


def _text(field: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused(field, value, "must be a text that is not empty")
    text = value.strip()
    if len(text) > longest:
        raise Refused(field, text[:longest], f"must have at most {longest} characters")
    # A database keeps no NUL, and no other control character belongs into a line.
    if not text.isprintable():
        raise Refused(field, text, "must have no control characters")
    return text


def _email(field: str, value: Any) -> str:
    text = _text(field, value, _longest("email"))
    try:
        validate_email(text)
    except ValidationError:
        raise Refused(field, text, "must be an e-mail address") from None
    return text


def _lines(value: Any) -> list[tuple[Product, int]]:
    if not isinstance(value, list) or not value:
        raise Refused("lines", value, "must be a list of at least one line")
    if len(value) > MAX_LINES:
        raise Refused("lines", len(value), f"must be at most {MAX_LINES}")
    wanted = [_line(f"lines.{number}", line) for number, line in enumerate(value)]
    products = {
        product.slug: product
        for product in Product.objects.filter(slug__in={slug for slug, _ in wanted})
    }
    for number, (slug, _) in enumerate(wanted):
        if slug not in products:
            raise Refused(f"lines.{number}.product", slug, "is no product of ours")
    return [(products[slug], quantity) for slug, quantity in wanted]


def _line(field: str, value: Any) -> tuple[str, int]:
    line = mapping(field, value, "product", "quantity")
    slug = _text(f"{field}.product", line.get("product"), 50)
    quantity = line.get("quantity")
    # type(), because True is an int.
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        problem = f"must be a whole number from 1 to {MAX_QUANTITY}"
        raise Refused(f"{field}.quantity", quantity, problem)
    return slug, quantity
