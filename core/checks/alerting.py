"""Checks of ALERTS; they ask no receiver."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Warning
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from core.alerts.plan import Plan

_HINT = "docs/how-to/alerts.md has every key, and a good set to copy."


def check_alerts(**_: Any) -> Sequence[CheckMessage]:
    """Report invalid alert rules and receivers."""
    return [
        Error(str(error), hint=_HINT, id="switchyard.E010")
        for error in _declared().errors
    ]


def check_receivers(**_: Any) -> Sequence[CheckMessage]:
    """Report alert settings that are unsafe in production."""
    return [
        Warning(
            f"ALERTS['RECEIVERS'][{name!r}]: url is http://: plain text.",
            hint="Write https://, or the network can read and change what is told.",
            id="switchyard.W109",
        )
        for name, receiver in _declared().receivers.items()
        if getattr(getattr(receiver, "url", None), "scheme", "") == "http"
    ]


def _declared() -> "Plan":
    # By name: it reaches models, and checks are registered while apps are loading.
    plan: Plan = import_string("core.alerts.declared")()
    return plan
