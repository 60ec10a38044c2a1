"""Rules in the settings, receivers that are real, and the clock's steps by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.alerts import rounds
from core.alerts.plan import plan
from core.alerts.rounds import EVERY
from core.alerts.sending import Sender
from core.models import Notice, NoticeState
from core.testing import advance_time, rehearsing
from tests.services.smtp import SmtpServer
from tests.services.waiting import wait_for
from tests.services.webhooks import Webhooks

DATABASE = "default"
SECRET = "a key of the tests alone"
Declare = Callable[..., None]


@pytest.fixture
def _rehearsed(db: None) -> Iterator[None]:
    with rehearsing():
        yield


@pytest.fixture
def hooks() -> Iterator[Webhooks]:
    with Webhooks() as server:
        yield server


@pytest.fixture
def rules(settings: Any, mailed: SmtpServer, hooks: Webhooks) -> Declare:
    """Declare rules, and one receiver of each kind; one alias is enough."""
    settings.BROKERS = {"default": settings.BROKERS["default"]}

    def declare(**given: Any) -> None:
        settings.ALERTS = {
            "RULES": given,
            "RECEIVERS": {
                "mail": {"type": "email", "to": ["ops@example.org"]},
                "hook": {"type": "webhook", "url": hooks.url, "secret": SECRET},
                "log": {"type": "log"},
            },
            "ALLOW_NETWORKS": ["127.0.0.0/8"],
        }

    return declare


def look(passed: timedelta = timedelta(seconds=EVERY)) -> bool:
    """Let time pass, and look at the rules in our turn."""
    rounds.take_turn(DATABASE)  # the first makes the row
    advance_time(passed)
    return rounds.look(DATABASE, plan(DATABASE))


def deliver(sender: Sender | None = None, seconds: float = 60) -> None:
    """Send until nothing is due."""
    sender = sender or Sender()

    def is_done() -> bool:
        sender.step(DATABASE)
        return not sender._flights

    wait_for(is_done, seconds, "all that is due is sent")


def undelivered() -> int:
    return Notice.objects.exclude(state=NoticeState.SENT).count()


def told(*columns: str) -> list[Any]:
    """Return these columns of all notices, in order."""
    rows = Notice.objects.order_by("pk")
    return list(rows.values_list(*columns, flat=len(columns) == 1))


def a_test() -> Notice:
    """Return a notice that is not written."""
    now = datetime.now(UTC)
    return Notice(rule="r", event="test", title="t", text="x", created_at=now)
