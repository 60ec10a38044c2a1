"""Django's system checks of a project's tasks."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.checks import CheckMessage, register

from core.checks.alerting import check_alerts, check_receivers
from core.checks.databases import check_databases
from core.checks.declared import check_actors, check_brokers, check_schedules
from core.checks.deployment import check_deployment, check_servers
from core.checks.setting import check_setting, once_set

__all__ = [
    "TAG",
    "check_actors",
    "check_alerts",
    "check_brokers",
    "check_databases",
    "check_deployment",
    "check_receivers",
    "check_schedules",
    "check_servers",
    "check_setting",
    "register_checks",
]

#: manage.py check --tag switchyard
TAG = "switchyard"


def register_checks() -> None:
    """Make Django ask these; called once the actors are known."""
    checks: list[tuple[Callable[..., Sequence[CheckMessage]], dict[str, Any]]] = [
        (check_brokers, {}),
        (check_databases, {}),
        (check_actors, {}),
        (check_schedules, {}),
        (check_alerts, {}),
        (check_receivers, {"deploy": True}),
        (check_deployment, {"deploy": True}),
        (check_servers, {"deploy": True}),
    ]
    register(check_setting, TAG)
    for check, options in checks:
        register(once_set(check), TAG, **options)
