"""The JSON API: place an order, follow it and its tasks. No session, no cookie."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from core import Message, ResultError, UnknownRun
from shop.checks import Refused, read_order
from shop.models import Order
from shop.services import ENDED, IdempotencyConflict, place_order, task_statuses
from shop.views.answers import failed, read_json, refused, task_url, wrong_method


@csrf_exempt  # it reads no cookie, so there is nobody to impersonate
def orders(request: HttpRequest) -> HttpResponse:
    """POST: place an order; 202, for its tasks are still to be done."""
    if request.method != "POST":
        return wrong_method("POST")
    try:
        draft = read_order(read_json(request), request.headers.get("Idempotency-Key"))
        placed, _ = place_order(
            name=draft.name,
            email=draft.email,
            lines=draft.lines,
            idempotency_key=draft.idempotency_key,
        )
    except Refused as error:
        return refused(error)
    except IdempotencyConflict as error:
        return failed(409, str(error))
    return JsonResponse(_accepted(placed), status=202)


def _accepted(order: Order) -> dict[str, Any]:
    tasks = [(str(sent.message_id), sent.task) for sent in order.tasks.all()]
    return {
        "order": _order(order),
        "tasks": [
            {"id": task_id, "task": task, "status_url": task_url(task_id)}
            for task_id, task in tasks
        ],
        "status_url": reverse("shop:api_order", args=[order.reference]),
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "reference": str(order.reference),
        "total": str(order.total),
        "created_at": order.created_at.isoformat(),
        "url": reverse("shop:order", args=[order.reference]),
    }


def order(request: HttpRequest, reference: str) -> HttpResponse:
    """GET: an order with its lines, its tasks as they stand, and its events."""
    if request.method not in ("GET", "HEAD"):
        return wrong_method("GET", "HEAD")
    found = _found(reference)
    if found is None:
        return failed(404, f"There is no order {reference}.")
    # Before the lines and events: what is said to be done must be seen in them.
    tasks = task_statuses(found)
    return JsonResponse(
        {
            "order": _order(found),
            "lines": _lines(found),
            "tasks": tasks,
            "events": list(found.events.values("kind", "text", "at")),
            "done": all(task["status"] in ENDED for task in tasks),
        }
    )


def _found(reference: str) -> Order | None:
    try:
        return Order.objects.filter(reference=UUID(reference)).first()
    except ValueError:
        return None


def _lines(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "product": line.product.slug,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": str(line.unit_price),
            "sold_out": line.sold_out,
        }
        for line in order.lines.select_related("product")
    ]


def task(request: HttpRequest, task_id: str) -> HttpResponse:
    """GET: how far one task is."""
    if request.method not in ("GET", "HEAD"):
        return wrong_method("GET", "HEAD")
    try:
        message = Message.get(task_id)
        status = message.status()
    except UnknownRun:
        return failed(404, f"There is no task {task_id}.")
    return JsonResponse(
        {
            "id": message.message_id,
            "task": message.actor_name,
            "queue": message.queue_name,
            "status": status,
            "sent_at": _moment(message.message_timestamp),
            **_result(message),
        }
    )


def _result(message: Message[Any]) -> dict[str, Any]:
    """Return what the task returned, if that is kept."""
    try:
        return {"result": message.get_result()}
    except ResultError:
        return {}


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
