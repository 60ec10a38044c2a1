"""Placing an order and following its tasks, for the pages and the API alike."""

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from django.db import IntegrityError, transaction

from core import Message, UnknownRun, publish
from shop import tasks
from shop.models import Order, OrderEvent, OrderLine, OrderTask, Product

#: Statuses after which a task does nothing more; "gone": its run was cleared away.
ENDED = frozenset({"succeeded", "dead", "cancelled", "gone"})


class IdempotencyConflict(ValueError):  # named after what is wrong
    """The idempotency key belongs to an order with other content."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"The key {self.key!r} was used for another order; take a new one."


class TaskStatus(TypedDict):
    """How far a task of an order is."""

    id: str
    task: str
    status: str


def place_order(
    *,
    name: str,
    email: str,
    lines: Sequence[tuple[Product, int]],
    idempotency_key: str | None = None,
) -> tuple[Order, bool]:
    """Return the order and whether this call made it; all of it is one transaction.

    The same key and content again, even at the same moment, give the same order.
    Raises `IdempotencyConflict`: the key belongs to other content.
    """
    draft = Order(
        name=name,
        email=email,
        idempotency_key=idempotency_key,
        fingerprint=_fingerprint(name, email, lines),
        total=sum((p.price * quantity for p, quantity in lines), Decimal("0.00")),
    )
    if (earlier := _earlier(draft)) is not None:
        return earlier, False
    try:
        with transaction.atomic():
            _save(draft, lines)
    except IntegrityError:
        # Another request with this key was faster since we looked.
        if (earlier := _earlier(draft)) is None:
            raise
        return earlier, False
    return draft, True


def _fingerprint(name: str, email: str, lines: Sequence[tuple[Product, int]]) -> str:
    """Hash what the customer asked for; prices may change between two clicks."""
    content = [name, email, [[product.pk, quantity] for product, quantity in lines]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _earlier(draft: Order) -> Order | None:
    key = draft.idempotency_key
    if key is None:
        return None
    order = Order.objects.filter(idempotency_key=key).first()
    if order is not None and order.fingerprint != draft.fingerprint:
        raise IdempotencyConflict(key)
    return order


def _save(order: Order, lines: Sequence[tuple[Product, int]]) -> None:
    # First, so that of two requests with one key the slower one writes nothing else.
    order.save(force_insert=True)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=product,
            name=product.name,
            unit_price=product.price,
            quantity=quantity,
        )
        for product, quantity in lines
    )
    OrderEvent.objects.create(order=order, kind="placed")
    sent = {
        "report": tasks.generate_order_report.send(order.pk),
        "inventory": tasks.update_inventory.send(order.pk),
        "log": tasks.log_order_processing.send(order.pk),
    }
    _tell(order, len(lines))
    OrderTask.objects.bulk_create(
        OrderTask(order=order, task=task, message_id=message.message_id)
        for task, message in sent.items()
    )


def _tell(order: Order, lines: int) -> None:
    """Tell others, who are not told who the customer is."""
    figures = {
        "reference": str(order.reference),
        "total": str(order.total),
        "lines": lines,
    }
    publish("order.submitted", figures)


def task_statuses(order: Order) -> list[TaskStatus]:
    """Return the order's tasks as they stand now."""
    return [
        {
            "id": str(task.message_id),
            "task": task.task,
            "status": _status(str(task.message_id)),
        }
        for task in order.tasks.all()
    ]


def _status(message_id: str) -> str:
    try:
        return Message.get(message_id).status()
    except UnknownRun:
        return "gone"
