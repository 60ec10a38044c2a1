"""The producer endpoint: staff start a task by its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from core import Actor
from shop import tasks
from shop.checks import Refused
from shop.models import Order
from shop.views.answers import failed, read_json, refused, task_url, wrong_method


def _order_id(value: Any) -> int:
    """Return the id of the order with this reference."""
    try:
        reference = UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Refused("order", value, "must be an order's reference") from None
    found = Order.objects.filter(reference=reference).values_list("pk", flat=True)
    if (order_id := found.first()) is None:
        raise Refused("order", value, "is no order of ours")
    return order_id


def _day(value: Any) -> str:
    """Return the day as 2026-01-31."""
    try:
        return date.fromisoformat(value).isoformat()
    except (ValueError, TypeError):
        raise Refused("day", value, "must be a date such as 2026-01-31") from None


@dataclass(frozen=True, slots=True)
class TaskType:
    """An actor of one parameter, and how that is read from JSON."""

    actor: Actor[..., None]
    parameter: str
    read: Callable[[Any], int | str]


#: What the address may end in.
TYPES: Mapping[str, TaskType] = {
    "order-report": TaskType(tasks.generate_order_report, "order", _order_id),
    "inventory": TaskType(tasks.update_inventory, "order", _order_id),
    "order-log": TaskType(tasks.log_order_processing, "order", _order_id),
    "sales-report": TaskType(tasks.generate_sales_report, "day", _day),
}


@csrf_exempt  # `_start` is protected: a stranger is told 401, not of a missing token
def producer(request: HttpRequest, task_type: str) -> HttpResponse:
    """POST a JSON object of parameters; 202 with the task's id."""
    if request.method != "POST":
        return wrong_method("POST")
    if not request.user.is_authenticated:
        return failed(401, "Log in first.")
    if not request.user.is_staff:
        return failed(403, "Only staff may start tasks.")
    return _start(request, task_type)


@csrf_protect
def _start(request: HttpRequest, task_type: str) -> HttpResponse:
    kind = TYPES.get(task_type)
    if kind is None:
        return _unknown(task_type)
    try:
        value = _parameter(kind, read_json(request))
    except Refused as error:
        return refused(error)
    message = kind.actor.send(value)
    answer = {
        "id": message.message_id,
        "task": message.actor_name,
        "status_url": task_url(message.message_id),
    }
    return JsonResponse(answer, status=202)


def _unknown(task_type: str) -> JsonResponse:
    problem = f"There is no task type {task_type!r}."
    return JsonResponse({"error": problem, "known": list(TYPES)}, status=400)


def _parameter(kind: TaskType, body: Any) -> int | str:
    """Return the one parameter of the body, or raise `Refused`."""
    if not isinstance(body, dict):
        raise Refused("body", body, "must be an object")
    for name in body:
        if name != kind.parameter:
            raise Refused(name, body[name], f"is unknown; give {kind.parameter!r}")
    if kind.parameter not in body:
        raise Refused(kind.parameter, None, "is missing")
    return kind.read(body[kind.parameter])
