"""Reservations of products in carts, which expire after a while."""

from datetime import timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.db.models.functions import Now

from shop.cart import Cart
from shop.models import Reservation

#: A cart that nobody touches is taken for abandoned.
KEPT = timedelta(minutes=15)


def renew(session: SessionBase) -> None:
    """Note what a session's cart holds now, all of it for another while."""
    if session.session_key is None:
        session.create()
    held = Reservation.objects.filter(cart=session.session_key)
    lines = Cart(session).lines()
    held.exclude(product__in=[line.product for line in lines]).delete()
    Reservation.objects.bulk_create(
        [
            Reservation(
                cart=session.session_key,
                product=line.product,
                quantity=line.quantity,
                expires_at=Now() + KEPT,
            )
            for line in lines
        ],
        update_conflicts=True,
        unique_fields=["cart", "product"],
        update_fields=["quantity", "expires_at"],
    )


def expire() -> int:
    """Forget the carts that were left; return how many products lay in them."""
    return Reservation.objects.filter(expires_at__lte=Now()).delete()[0]
