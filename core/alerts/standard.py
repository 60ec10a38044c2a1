"""The default alerts: Django's ADMINS get a mail."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

#: ALERTS, unless the setting is there.
ALERTS: Mapping[str, Any] = {
    "RECEIVERS": {"admins": {"type": "admins"}},
    "RULES": {
        "broker down": {"when": "broker_down", "for": 15},
        "no worker": {"when": "no_worker", "for": 20},
        "dead runs": {"when": "dead_letters", "repeat": timedelta(hours=24)},
        "slow": {"when": "oldest_wait", "above": timedelta(minutes=5), "for": 60},
    },
}


def addresses() -> list[str]:
    """Return the addresses in ADMINS: with names before Django 6, alone since."""
    return [one if isinstance(one, str) else one[1] for one in settings.ADMINS]


def alerts() -> Any:
    """Return the setting ALERTS; without it the standard, if there are ADMINS."""
    standard = ALERTS if settings.ADMINS else {}
    return getattr(settings, "ALERTS", standard)
