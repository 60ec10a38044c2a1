"""One look at every rule: by one process of all, in turns, by the database's clock.

Whoever moves `AlertRound.looked_at` on has the turn. What it has found is written in
one transaction that holds only as long as nobody has taken the next turn: a process
that was frozen in between writes nothing.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from core import runs
from core.alerts import notices
from core.alerts.measures import Finding, Look, find
from core.alerts.plan import Plan
from core.alerts.states import Key, advance
from core.models import Alert, AlertRound

#: Seconds between two looks of all processes together.
EVERY = 10.0
#: The row of the turns.
ONLY = 1
#: An alert that nobody has looked at for this long is deleted: its rule is gone.
FORGOTTEN = timedelta(days=7)


def look(database: str, plan: Plan) -> bool:
    """Look at every rule, if it is our turn; say whether there is something to tell."""
    if not plan.rules:
        return False
    number = take_turn(database)
    if number is None:
        return False
    eyes = Look(database)
    found = {name: list(find(rule, eyes)) for name, rule in plan.rules.items()}
    return write(database, number, plan, found)


def take_turn(database: str) -> int | None:
    """Return the number of our turn; None: somebody has looked just now."""
    rounds = AlertRound.objects.using(database).filter(pk=ONLY)
    due = rounds.filter(looked_at__lte=runs.later(-EVERY))
    number = due.values_list("number", flat=True).first()
    if number is None:
        if not rounds.exists():
            first = AlertRound(pk=ONLY, looked_at=runs.later(-EVERY))
            AlertRound.objects.using(database).bulk_create(
                [first], ignore_conflicts=True
            )
        return None
    taken = due.filter(number=number).update(number=number + 1, looked_at=Now())
    return number + 1 if taken else None


def write(
    database: str, number: int, plan: Plan, found: dict[str, list[Finding]]
) -> bool:
    """Take every alert one step on; say whether there is something to tell."""
    with transaction.atomic(using=database):
        turn = AlertRound.objects.using(database).filter(pk=ONLY, number=number)
        if not turn.update(number=F("number")):
            return False
        now = runs.now(database)
        known = _known(database)
        told = 0
        for name, rule in plan.rules.items():
            changes = advance(rule, known[name], found[name], now)
            for alert in changes.kept:
                alert.save(using=database)
            gone = [alert.pk for alert in changes.gone]
            Alert.objects.using(database).filter(pk__in=gone).delete()
            for event, alerts in changes.events.items():
                told += notices.write(database, rule, event, alerts, now)
        _forget(database, now)
    return told > 0


def _known(database: str) -> dict[str, dict[Key, Alert]]:
    known: dict[str, dict[Key, Alert]] = defaultdict(dict)
    for alert in Alert.objects.using(database).all():
        known[alert.rule][alert.broker, alert.subject] = alert
    return known


def _forget(database: str, now: datetime) -> None:
    # Not at once: in a rolling deploy others know rules that we do not.
    old = Alert.objects.using(database).filter(looked_at__lt=now - FORGOTTEN)
    old.delete()
    notices.give_up_old(database)
