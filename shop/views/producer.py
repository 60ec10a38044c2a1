"""The producer endpoint: staff and services start a task by its type."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from core import Actor, IdempotencyConflict
from shop import tasks
from shop.checks import Refused, mapping, read_key
from shop.models import Order
from shop.views.answers import (
    failed,
    has_token,
    read_json,
    refused,
    task_url,
    wrong_method,
)


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


#: Options of the send that a caller may give.
OPTIONS = ("priority", "idempotency_key")
#: The task types, by the end of their address.
TYPES: Mapping[str, TaskType] = {
    "order-report": TaskType(tasks.generate_order_report, "order", _order_id),
    "inventory": TaskType(tasks.update_inventory, "order", _order_id),
    "order-log": TaskType(tasks.log_order_processing, "order", _order_id),
    "sales-report": TaskType(tasks.generate_sales_report, "day", _day),
}


@csrf_exempt  # `_start_as` is protected: a stranger is told 401, not of a missing token
def producer(request: HttpRequest, task_type: str) -> HttpResponse:
    """POST a JSON object of parameters; 202 with the task's id.

    For a service with settings.PRODUCER_TOKEN as a bearer token, and for staff with the
    permission of the task type.
    """
    if request.method != "POST":
        return wrong_method("POST")
    if has_token(request, settings.PRODUCER_TOKEN):
        return _start(request, task_type)
    if not request.user.is_authenticated:
        return failed(401, "Log in, or send the token of a service.")
    return _start_as(request, task_type)


@csrf_protect
def _start_as(request: HttpRequest, task_type: str) -> HttpResponse:
    """Start a task for a user who may."""
    if not request.user.is_staff:
        return failed(403, "Only staff may start tasks.")
    permission = f"shop.start_{task_type.replace('-', '_')}"
    if task_type in TYPES and not request.user.has_perm(permission):
        return failed(403, f"You need the permission {permission}.")
    return _start(request, task_type)


def _start(request: HttpRequest, task_type: str) -> HttpResponse:
    kind = TYPES.get(task_type)
    if kind is None:
        return _unknown(task_type)
    try:
        body = mapping("body", read_json(request), kind.parameter, *OPTIONS)
        options = _options(body, request.headers.get("Idempotency-Key"))
        message = kind.actor.using(**options).send(_parameter(kind, body))
    except Refused as error:
        return refused(error)
    except IdempotencyConflict as error:
        return failed(409, str(error))
    answer = {
        "id": message.message_id,
        "task": message.actor_name,
        "status_url": task_url(message.message_id),
    }
    return JsonResponse(answer, status=202)


def _unknown(task_type: str) -> JsonResponse:
    problem = f"There is no task type {task_type!r}."
    return JsonResponse({"error": problem, "known": list(TYPES)}, status=400)


def _parameter(kind: TaskType, body: Mapping[str, Any]) -> int | str:
    """Return the parameter of the actor, or raise `Refused`."""
    if kind.parameter not in body:
        raise Refused(kind.parameter, None, "is missing")
    return kind.read(body[kind.parameter])


def _options(body: Mapping[str, Any], header_key: str | None) -> dict[str, Any]:
    """Return the options of the send; `header_key` holds if the body names no key."""
    options: dict[str, Any] = {}
    if "priority" in body:
        options["priority"] = _priority(body["priority"])
    key = read_key(body.get("idempotency_key", header_key))
    return options if key is None else {**options, "idempotency_key": key}


def _priority(value: Any) -> int:
    # type(), because True is an int.
    if type(value) is not int or not -100 <= value <= 100:
        raise Refused("priority", value, "must be a whole number from -100 to 100")
    return value
