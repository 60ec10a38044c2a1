"""Errors of the JSON API as JSON, also those that Django answers itself."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.urls import is_valid_path

from shop.views.answers import failed

#: What is said of an error that no view has answered.
PROBLEMS: Mapping[int, str] = {
    400: "The request cannot be read.",
    403: "This is not allowed.",
    404: "There is no such address.",
    413: "The body is too large.",
    500: "Something went wrong here. It is logged.",
}


class JsonErrors:
    """Stands above Django's own middleware, whose errors would be HTML."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; an error below /api/ and /tasks/ is JSON."""
        if not is_api(request):
            return self._get_response(request)
        path = request.path_info
        if not path.endswith("/") and is_valid_path(f"{path}/"):
            # Django would redirect, which loses what is posted.
            return failed(404, f"There is no {path}: write {path}/.")
        response = self._get_response(request)
        status = response.status_code
        if status < 400 or response.get("Content-Type") == "application/json":
            return response
        return failed(status, PROBLEMS.get(status, response.reason_phrase))


def is_api(request: HttpRequest) -> bool:
    """Return True if a program asks."""
    return f"{request.path_info}/".startswith(("/api/", "/tasks/"))
