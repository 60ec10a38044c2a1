"""The cart: product slugs and quantities in the customer's session."""

from decimal import Decimal
from typing import NamedTuple

from django.contrib.sessions.backends.base import SessionBase

from shop.models import Product

KEY = "cart"
#: Of one product in one order.
MOST = 1000


class CartLine(NamedTuple):
    """Some of one product, at today's price."""

    product: Product
    quantity: int

    @property
    def subtotal(self) -> Decimal:
        return self.product.price * self.quantity


class Cart:
    """The lines of the cart in the session; deleted products are dropped."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session
        self._quantities: dict[str, int] = session.get(KEY, {})

    def __len__(self) -> int:
        return sum(self._quantities.values())

    def add(self, slug: str, quantity: int) -> bool:
        """Put some more of a product into the cart; False if that were too many."""
        wanted = self._quantities.get(slug, 0) + quantity
        if wanted > MOST:
            return False
        self.set(slug, wanted)
        return True

    def set(self, slug: str, quantity: int) -> None:
        """Make it so many of a product, at most `MOST`; 0 takes it out."""
        if quantity > 0:
            self._quantities[slug] = quantity
        else:
            self._quantities.pop(slug, None)
        self._session[KEY] = self._quantities

    def clear(self) -> None:
        """Empty the cart."""
        self._session.pop(KEY, None)
        self._quantities = {}

    def lines(self) -> list[CartLine]:
        """Return what is in the cart, in the catalogue's sequence."""
        products = Product.objects.filter(slug__in=self._quantities)
        return [
            CartLine(product, self._quantities[product.slug])
            for product in products.order_by("position", "pk")
        ]

    def total(self) -> Decimal:
        """Return what all of it costs today."""
        return sum((line.subtotal for line in self.lines()), Decimal("0.00"))


def in_cart(request: object) -> dict[str, int]:
    """Tell every page how many things are in the cart."""
    session = getattr(request, "session", None)
    return {"in_cart": len(Cart(session)) if session is not None else 0}
