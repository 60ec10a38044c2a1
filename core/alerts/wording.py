"""The words of a message: what is wrong, since when, which command shows or ends it.

Names of aliases, queues, actors and schedules, and numbers: never an argument, an
error's words, or an address.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from core.alerts.rules import Rule
from core.models import Alert

#: Most alerts listed in a message; the others are counted.
MOST = 10
FIRING, REPEATED, RESOLVED, TEST = "firing", "repeated", "resolved", "test"
_HEADS = {
    FIRING: "ALERT",
    REPEATED: "STILL",
    RESOLVED: "RESOLVED",
    TEST: "TEST",
}
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def short(duration: timedelta | float) -> str:
    """Return a duration in the largest unit that fits: 90s, 5m, 4h, as --period."""
    if isinstance(duration, timedelta):
        duration = duration.total_seconds()
    seconds = round(duration)
    for unit, size in _UNITS:
        if (seconds >= 2 * size and not seconds % size) or seconds == size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def title(namespace: str, event: str, rule: Rule, alerts: Sequence[Alert]) -> str:
    """Return the one line that says it."""
    first = alerts[0].says if alerts else rule.when
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"[{namespace}] {_HEADS[event]} {rule.name}: {first}{more}"


def text(event: str, rule: Rule, alerts: Sequence[Alert]) -> str:
    """Return the message."""
    lines: list[str] = []
    for alert in alerts[:MOST]:
        lines += [*_lines(event, alert), ""]
    if len(alerts) > MOST:
        lines += [f"and {len(alerts) - MOST} more: manage.py tasks alerts", ""]
    if event == TEST:
        lines += ["Nothing is wrong: this is a test of the way here.", ""]
    return "\n".join([*lines, _reason(rule)])


def _lines(event: str, alert: Alert) -> list[str]:
    since = f"since {alert.since:%Y-%m-%d %H:%M:%S} UTC"
    if event != RESOLVED:
        return [alert.says, f"  {since}", *(f"  {command}" for command in alert.see)]
    over = ""
    if alert.resolved_at is not None:
        over = f", over after {spoken(alert.resolved_at - alert.since)}"
    return [f"{alert.says}: over", f"  {since}{over}"]


def _reason(rule: Rule) -> str:
    lasting = f", for {short(rule.lasting)}" if rule.lasting else ""
    again = f" Told again every {short(rule.repeat)}." if rule.repeat else ""
    where = "ALERTS" if rule.origin == "settings" else "the admin"
    return f"Rule {rule.name} in {where}: {rule.when}{lasting}.{again}"


def spoken(duration: timedelta) -> str:
    """Return how long something took: 45 s, 12 min, 3.5 h."""
    seconds = duration.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def values(alert: Alert) -> dict[str, Any]:
    """Return an alert for programs."""
    return {
        "broker": alert.broker,
        "subject": alert.subject,
        "says": alert.says,
        "see": alert.see,
        "value": alert.value,
        "since": alert.since.isoformat(),
    }
