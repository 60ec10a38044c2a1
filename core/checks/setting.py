"""The check that there is a BROKERS to be checked at all."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

HINT = """Add this to your settings, with your own broker:

    BROKERS = {
        "default": {
            "BACKEND": "backends.celery.CeleryBackend",
            "URL": "redis://localhost:6379/0",
        }
    }
"""

Check = Callable[..., Sequence[CheckMessage]]


def check_setting(**_: Any) -> Sequence[CheckMessage]:
    """Report BROKERS if it is missing, or not a dict of dicts."""
    problem = _problem(getattr(settings, "BROKERS", None))
    return [Error(problem, hint=HINT, id="switchyard.E007")] if problem else []


def _problem(given: object) -> str:
    if given is None:
        return "BROKERS is missing from the settings."
    if not isinstance(given, Mapping):
        return f"BROKERS is {given!r}; it must be a dict of aliases."
    if not given:
        return "BROKERS is empty; it must have an alias, 'default'."
    for alias, config in given.items():
        if not isinstance(config, Mapping):
            return (
                f"BROKERS[{alias!r}] is {config!r}; it must be a dict of its settings."
            )
    return ""


def once_set(check: Check) -> Check:
    """Return a check that has nothing to say while there is no BROKERS to look at."""

    def checked(**given: Any) -> Sequence[CheckMessage]:
        return [] if check_setting() else check(**given)

    return checked
