"""How an alert goes on from one look to the next; no rows are written here.

    nothing --found--> pending --for so long--> firing --well for so long--> resolved
       ^                  |                      | ^                            |
       +------ well ------+              found --+ +---- found, for so long ----+

Firing, repeated and resolved are events: something is to be told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.alerts.measures import Finding
from core.alerts.rules import Rule
from core.alerts.wording import FIRING, REPEATED, RESOLVED
from core.models import Alert, AlertState

#: After a pause this long in the looks it is unknown whether a problem has lasted.
GAP = timedelta(minutes=2)

#: A broker and a subject of it.
Key = tuple[str, str]


@dataclass(slots=True)
class Changes:
    """The outcome of a look at one rule."""

    kept: list[Alert] = field(default_factory=list)
    gone: list[Alert] = field(default_factory=list)
    events: dict[str, list[Alert]] = field(
        default_factory=lambda: {FIRING: [], REPEATED: [], RESOLVED: []}
    )


def advance(
    rule: Rule,
    known: Mapping[Key, Alert],
    findings: Iterable[Finding],
    now: datetime,
) -> Changes:
    """Take every alert of a rule one step on."""
    changes = Changes()
    found = {(one.broker, one.subject): one for one in findings}
    for key, finding in found.items():
        alert = known.get(key)
        if alert is None or alert.state == AlertState.RESOLVED:
            alert = _begun(rule, alert, finding, now)
        _note(alert, finding)
        event = _bad(rule, alert, now)
        alert.looked_at = now
        changes.kept.append(alert)
        if event:
            changes.events[event].append(alert)
    for key, alert in known.items():
        if key not in found:
            _well(rule, alert, now, changes)
    return changes


def _begun(rule: Rule, alert: Alert | None, finding: Finding, now: datetime) -> Alert:
    begun = Alert(rule=rule.name, broker=finding.broker, subject=finding.subject)
    begun.state, begun.since, begun.looked_at = AlertState.PENDING, now, now
    if alert is not None:
        begun.pk = alert.pk
    return begun


def _note(alert: Alert, finding: Finding) -> None:
    alert.value = finding.value
    alert.says = finding.says
    alert.see = list(finding.see)


def _bad(rule: Rule, alert: Alert, now: datetime) -> str:
    """Note that it is wrong still; return what is to be told."""
    alert.clear_since = None
    if alert.state == AlertState.PENDING:
        if now - alert.looked_at > GAP:
            alert.since = now
        if now - alert.since < rule.lasting:
            return ""
        alert.state = AlertState.FIRING
        alert.firing_since = alert.last_sent = now
        return FIRING
    last = alert.last_sent or now
    if rule.repeat is None or now - last < rule.repeat:
        return ""
    alert.last_sent = now
    return REPEATED


def _well(rule: Rule, alert: Alert, now: datetime, changes: Changes) -> None:
    if alert.state == AlertState.RESOLVED:
        return
    if alert.state == AlertState.PENDING:
        changes.gone.append(alert)
        return
    alert.clear_since = alert.clear_since or now
    alert.looked_at = now
    changes.kept.append(alert)
    if now - alert.clear_since < rule.lasting:
        return
    alert.state, alert.resolved_at = AlertState.RESOLVED, now
    if rule.resolved:
        alert.last_sent = now
        changes.events[RESOLVED].append(alert)
