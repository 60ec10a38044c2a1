"""Alert messages as rows: written with the alert, claimed, sent and kept.

A claim is one conditional UPDATE, so two processes never send a notice at the same
time. Who has claimed one and dies leaves it: another process sends it a minute later.
"""

import logging
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from core import runs
from core.alerts.rules import Rule
from core.alerts.wording import MOST, text, title, values
from core.broker.handler import brokers
from core.models import Alert, Notice, NoticeState

logger = logging.getLogger(__name__)

#: Seconds after which a claimed notice without an outcome may be claimed again: whoever
#: had it has died.
CLAIM = 60.0
#: Seconds before the second try; the pause doubles up to the second number.
PAUSE, LONGEST_PAUSE = 5.0, 300.0
#: Tries of one notice, over about an hour. The next repetition comes anyway.
MOST_TRIES = 16
#: A notice that nobody has tried for this long is for a receiver that is gone.
GONE = timedelta(days=1)
#: Notices that are claimed at once.
BATCH = 20


def write(
    database: str, rule: Rule, event: str, alerts: Sequence[Alert], now: datetime
) -> int:
    """Write a notice for each receiver of a rule; return how many."""
    if not alerts:
        return 0
    rows = [
        draft(rule, event, alerts, receiver, now) for receiver in dict.fromkeys(rule.to)
    ]
    return len(Notice.objects.using(database).bulk_create(rows))


def draft(
    rule: Rule, event: str, alerts: Sequence[Alert], receiver: str, now: datetime
) -> Notice:
    """Return a notice that is not written yet."""
    return Notice(
        rule=rule.name,
        event=event,
        receiver=receiver,
        title=title(brokers.namespace(), event, rule, alerts),
        text=text(event, rule, alerts),
        alerts=[values(alert) for alert in alerts[:MOST]],
        created_at=now,
        send_at=now,
    )


def claim(database: str, receivers: Collection[str]) -> list[Notice]:
    """Take notices for these receivers, one for each; nobody else sends them now.

    What a rule has to say comes in order: never that it is over before that it began.
    """
    found: dict[str, Notice] = {}
    for notice in _due(database, receivers)[:BATCH]:
        if notice.receiver in found:
            continue
        token = uuid.uuid4()
        mine = _due(database, receivers).filter(pk=notice.pk).values("pk")
        taken = (
            Notice.objects.using(database)
            .filter(pk__in=mine, tries=notice.tries)
            .update(claim=token, claimed_until=runs.later(CLAIM), tries=F("tries") + 1)
        )
        if taken:
            notice.claim, notice.tries = token, notice.tries + 1
            found[notice.receiver] = notice
    return list(found.values())


def _open(database: str) -> QuerySet[Notice]:
    return Notice.objects.using(database).filter(state=NoticeState.OPEN)


def _due(database: str, receivers: Collection[str]) -> QuerySet[Notice]:
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    before = Notice.objects.filter(
        state=NoticeState.OPEN,
        rule=OuterRef("rule"),
        receiver=OuterRef("receiver"),
        pk__lt=OuterRef("pk"),
    )
    due = _open(database).filter(free, send_at__lte=Now(), receiver__in=receivers)
    return due.filter(~Exists(before)).order_by("pk")


def sent(database: str, notice: Notice, answer: str) -> bool:
    """Note that it has arrived; False: another process has taken it over."""
    return _settle(
        database, notice, state=NoticeState.SENT, sent_at=Now(), answer=answer
    )


def failed(database: str, notice: Notice, answer: str) -> bool:
    """Note that it has not; it is tried again, or given up after many tries."""
    if notice.tries >= MOST_TRIES:
        logger.error("Gave up telling %s: %s", notice.receiver, notice.title)
        return _settle(database, notice, state=NoticeState.FAILED, answer=answer)
    pause = min(PAUSE * 2 ** (notice.tries - 1), LONGEST_PAUSE)
    return _settle(database, notice, send_at=runs.later(pause), answer=answer)


def _settle(database: str, notice: Notice, **changes: object) -> bool:
    mine = _open(database).filter(pk=notice.pk, claim=notice.claim)
    # The claim itself stays until somebody else makes one: what was too slow, and
    # arrives after all, is not sent again.
    return bool(mine.update(claimed_until=None, **changes))


def give_up_old(database: str) -> int:
    """Give up what is for receivers that nobody knows any more; return how many."""
    old = _open(database).filter(send_at__lt=Now() - GONE)
    return old.update(state=NoticeState.FAILED)
