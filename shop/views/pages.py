"""The shop as customers see it."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from shop import reservations
from shop.cart import MOST, Cart
from shop.forms import AddForm, CheckoutForm, QuantityForm
from shop.models import Order, Product
from shop.services import ENDED, IdempotencyConflict, place_order, task_statuses

#: What a task is to the customer.
TASKS = {
    "report": "Your report, by mail",
    "inventory": "Items from the stock",
    "log": "Entry in the order book",
}
#: What a status is to the customer; the style sheet has a colour for each.
STATUSES = {
    "pending": "waiting",
    "queued": "waiting",
    "running": "under way",
    "succeeded": "done",
    "dead": "failed",
    "cancelled": "cancelled",
    "gone": "done long ago",
}


def catalogue(request: HttpRequest) -> HttpResponse:
    products = Product.objects.select_related("stock").order_by("position", "pk")
    return render(request, "shop/catalogue.html", {"products": products})


def product(request: HttpRequest, slug: str) -> HttpResponse:
    products = Product.objects.select_related("stock")
    wanted = products.annotate(in_carts=Sum("reservations__quantity", default=0))
    found = get_object_or_404(wanted, slug=slug)
    return render(request, "shop/product.html", {"product": found})


def cart(request: HttpRequest) -> HttpResponse:
    held = Cart(request.session)
    context = {"lines": held.lines(), "total": held.total()}
    return render(request, "shop/cart.html", context)


@require_POST
def cart_add(request: HttpRequest) -> HttpResponse:
    form = AddForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Please give a whole number from 1 to {MOST}.")
        return redirect("shop:cart")
    found = get_object_or_404(Product, slug=form.cleaned_data["product"])
    if Cart(request.session).add(found.slug, form.cleaned_data["quantity"]):
        reservations.renew(request.session)
        messages.success(request, f"{found.name} is in your cart.")
    else:
        problem = f"An order has at most {MOST} of {found.name}: nothing was added."
        messages.error(request, problem)
    return redirect("shop:cart")


@require_POST
def cart_update(request: HttpRequest) -> HttpResponse:
    form = QuantityForm(request.POST)
    if form.is_valid():
        Cart(request.session).set(
            form.cleaned_data["product"], form.cleaned_data["quantity"]
        )
        reservations.renew(request.session)
    else:
        messages.error(request, f"Please give a whole number from 0 to {MOST}.")
    return redirect("shop:cart")


def checkout(request: HttpRequest) -> HttpResponse:
    form = CheckoutForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _order(request, form)
    held = Cart(request.session)
    context = {"form": form, "lines": held.lines(), "total": held.total()}
    return render(request, "shop/checkout.html", context)


def _order(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    """Place the order, or find the one that the first of two clicks placed."""
    given = form.cleaned_data
    held = Cart(request.session)
    lines = [(line.product, line.quantity) for line in held.lines()]
    earlier = Order.objects.filter(idempotency_key=given["idempotency_key"]).first()
    if earlier is not None and not lines:
        # The first click emptied the cart.
        return redirect("shop:order", reference=earlier.reference)
    if not lines:
        messages.error(request, "Your cart is empty: there is nothing to order.")
        return redirect("shop:cart")
    try:
        placed, _ = place_order(lines=lines, **given)
    except IdempotencyConflict:
        messages.error(request, "This page has ordered already; here is a new one.")
        return redirect("shop:checkout")
    held.clear()
    reservations.renew(request.session)
    return redirect("shop:order", reference=placed.reference)


def order(request: HttpRequest, reference: UUID) -> HttpResponse:
    found = get_object_or_404(
        Order.objects.prefetch_related("lines__product", "events", "tasks", "mails"),
        reference=reference,
    )
    statuses = task_statuses(found)
    tasks = [
        {
            **status,
            "title": TASKS.get(status["task"], status["task"]),
            "said": STATUSES.get(status["status"], status["status"]),
        }
        for status in statuses
    ]
    context = {
        "order": found,
        "tasks": tasks,
        "done": all(status["status"] in ENDED for status in statuses),
        "report": bool(found.mails.all()),
    }
    return render(request, "shop/order.html", context)


def report(request: HttpRequest, reference: UUID) -> FileResponse:
    found = get_object_or_404(Order, reference=reference)
    mail = found.mails.first()
    path = Path(settings.MEDIA_ROOT) / mail.pdf if mail else None
    if path is None or not path.is_file():
        raise Http404("The report of this order is not ready yet.")
    return FileResponse(
        path.open("rb"),
        content_type="application/pdf",
        filename=f"order-{found.reference}.pdf",
    )
