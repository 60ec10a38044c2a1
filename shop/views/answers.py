"""JSON in and out, for programs."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from shop.checks import Refused

#: How much of a body is shown back when it is no JSON.
EXCERPT = 100


def read_json(request: HttpRequest) -> Any:
    """Return the body's value, or raise `Refused`."""
    try:
        body = request.body
    except RequestDataTooBig:
        problem = f"must have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes"
        size = request.headers.get("Content-Length")
        raise Refused("body", f"{size} bytes", problem, status=413) from None
    try:
        return json.loads(body, parse_constant=_no_number)
    # Deep nesting raises RecursionError; bytes that are no text, a ValueError.
    except (ValueError, RecursionError):
        excerpt = body[:EXCERPT].decode(errors="replace")
        raise Refused("body", excerpt, "must be JSON") from None


def has_token(request: HttpRequest, token: str) -> bool:
    """Return True if the request carries this bearer token; never for an empty one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        return False
    return constant_time_compare(given, token)


def _no_number(constant: str) -> None:
    """Refuse NaN and its like: Python reads them, but they are no JSON."""
    raise ValueError(constant)


def refused(error: Refused) -> JsonResponse:
    return JsonResponse(
        {
            "error": {
                "field": error.field,
                "value": error.value,
                "problem": error.problem,
            }
        },
        status=error.status,
    )


def failed(status: int, problem: str) -> JsonResponse:
    return JsonResponse({"error": problem}, status=status)


def wrong_method(*allowed: str) -> JsonResponse:
    response = failed(405, f"Use {' or '.join(allowed)}.")
    response["Allow"] = ", ".join(allowed)
    return response


def task_url(task_id: str) -> str:
    return reverse("shop:api_task", args=[task_id])
