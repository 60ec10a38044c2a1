"""The rules and how each of them stands, for those who look; and a test of the way."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from core import runs
from core.alerts import notices
from core.alerts.plan import plan
from core.alerts.rules import Rule
from core.alerts.sending import Answer, ask
from core.alerts.wording import TEST
from core.broker.handler import brokers
from core.errors import AlertConfigError
from core.models import Alert, Notice, NoticeState
from core.monitoring import Snapshot

#: Notices that did not arrive are listed for this long.
LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AlertSnapshot(Snapshot):
    """A rule, and one thing that it has found; or that it has found nothing."""

    rule: str
    when: str
    origin: str
    #: ok, pending, firing, resolved
    state: str
    broker: str
    subject: str
    value: float | None
    says: str
    see: tuple[str, ...]
    since: datetime | None
    firing_since: datetime | None
    last_sent: datetime | None
    resolved_at: datetime | None
    to: tuple[str, ...]
    #: Messages of the rule that a receiver has not taken, of the last day.
    undelivered: int


def alerts() -> list[AlertSnapshot]:
    """Return every rule with what it has found, the firing ones first."""
    found = [one for database in brokers.databases() for one in _in(database)]
    order = ("firing", "pending", "resolved", "ok")
    return sorted(found, key=lambda one: (order.index(one.state), one.rule))


def errors() -> list[str]:
    """Return what is wrong with the setting or with rules of the admin."""
    found = [str(one) for name in brokers.databases() for one in plan(name).errors]
    return list(dict.fromkeys(found))


def _in(database: str) -> Iterator[AlertSnapshot]:
    known: dict[str, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.using(database).order_by("since"):
        known[alert.rule].append(alert)
    late = _undelivered(database)
    for name, rule in plan(database).rules.items():
        found: list[Alert | None] = [*known[name]]
        for one in found or [None]:
            yield _snapshot(rule, one, late.get(name, 0))


def _undelivered(database: str) -> dict[str, int]:
    rows: QuerySet[Notice] = Notice.objects.using(database)
    tried = Q(state=NoticeState.OPEN, tries__gt=0) & ~Q(answer="")
    late = rows.filter(
        tried | Q(state=NoticeState.FAILED), created_at__gte=Now() - LATELY
    )
    return dict(late.values_list("rule").annotate(Count("pk")).order_by())


def _snapshot(rule: Rule, alert: Alert | None, undelivered: int) -> AlertSnapshot:
    names = "broker subject value says since firing_since last_sent resolved_at"
    values: dict[str, Any] = {"broker": "", "subject": "", "says": ""}
    for field in names.split():
        values[field] = getattr(alert, field, values.get(field))
    return AlertSnapshot(
        rule=rule.name,
        when=rule.when,
        origin=rule.origin,
        state="ok" if alert is None else alert.state,
        see=() if alert is None else tuple(alert.see),
        to=rule.to,
        undelivered=undelivered,
        **values,
    )


def try_out(name: str) -> dict[str, Answer]:
    """Send a test message to each receiver of a rule; return what each answered.

    Raises `AlertConfigError` if there is no such rule.
    """
    known: list[str] = []
    for database in brokers.databases():
        current = plan(database)
        known += current.rules
        if name in current.rules:
            rule = current.rules[name]
            now = runs.now(database)
            return {
                one: ask(notices.draft(rule, TEST, [], one, now), receiver)
                for one, receiver in current.receivers.items()
                if one in rule.to
            }
    there = ", ".join(known) or "none: set ALERTS, or make one in the admin"
    raise AlertConfigError(f"No alert rule is named {name!r}", f"there are {there}")
