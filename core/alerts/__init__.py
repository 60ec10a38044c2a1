"""Alerts: rules over `core.monitoring`, told by e-mail, webhook, log, or your own way.

Looked at and told by the clock of every worker's parent and every scheduler, with the
database alone: no broker is needed.
"""

from core.alerts.listing import AlertSnapshot, alerts, errors, try_out
from core.alerts.measures import Finding
from core.alerts.plan import check_row, declared
from core.alerts.present import wrong
from core.alerts.watching import watching

__all__ = [
    "AlertSnapshot",
    "Finding",
    "alerts",
    "check_row",
    "declared",
    "errors",
    "try_out",
    "watching",
    "wrong",
]
