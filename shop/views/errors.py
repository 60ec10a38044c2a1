"""What is answered when a form comes without its token."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shop.middleware import is_api
from shop.views.answers import failed


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell a customer of cookies, and a program of the header."""
    if is_api(request):
        problem = "Send the csrftoken cookie's value in the header X-CSRFToken as well."
        return failed(403, f"{reason or 'The CSRF token is missing.'} {problem}")
    return render(request, "403_csrf.html", status=403)
