"""Real receivers: what arrives, what is refused, and who waits for whom."""

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any

import pytest

from core import actor
from core.alerts import sending
from core.alerts.receivers import receiver
from core.alerts.sending import Answer, Sender, ask
from core.errors import AlertConfigError
from core.models import Notice, NoticeState
from core.testing import advance_time, drain
from tests.core.alerts.conftest import (
    DATABASE,
    SECRET,
    Declare,
    a_test,
    deliver,
    look,
    told,
    undelivered,
)
from tests.services.smtp import SmtpServer
from tests.services.waiting import PATIENCE, in_time, wait_for
from tests.services.webhooks import Webhooks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_rehearsed")]


@actor(actor_name="test.alerts.leaks", max_retries=0)
def leaks(token: str) -> None:
    """Fail, and tell what it should not."""
    raise RuntimeError(f"the token {token} is wrong")


@pytest.fixture
def _fired(rules: Declare) -> None:
    rules(failing={"when": "failures", "above": 0, "to": ["mail", "hook"]})
    leaks.send("hunter2-hunter2")
    drain()
    assert look()


@pytest.mark.usefixtures("_fired")
def test_mail_says_what_is_wrong_and_what_to_do(mailed: SmtpServer) -> None:
    deliver()
    (mail,) = mailed.to("ops@example.org")
    what = "test.alerts.leaks in default of default: 1 attempts failed in 5m"
    assert mail["Subject"].endswith(f"] ALERT failing: {what}")
    assert "\n" not in mail["Subject"]
    lines = mail.get_content().splitlines()
    assert lines[0] == what
    assert lines[1].startswith("  since 20")
    assert lines[2] == "  manage.py tasks errors --period 5m"
    assert lines[4] == "Rule failing in ALERTS: failures. Told again every 4h."
    key = Notice.objects.get(receiver="mail").key
    assert mail["Message-ID"] == f"<{key}@switchyard>"


def test_admins_are_mailed_of_a_dead_run(settings: Any, mailed: SmtpServer) -> None:
    settings.BROKERS = {"default": settings.BROKERS["default"]}
    settings.ADMINS = ["ann@example.org"]
    leaks.send("hunter2-hunter2")
    drain()
    assert look()
    deliver()
    (mail,) = mailed.to("ann@example.org")
    dead = "test.alerts.leaks in default of default: 1 run died in 1h"
    assert mail["Subject"].endswith(f"] ALERT dead runs: {dead}")
    assert mail["From"] == settings.SERVER_EMAIL
    assert "manage.py tasks requeue --state dead" in mail.get_content()


@pytest.mark.usefixtures("_fired")
def test_webhook_is_signed_and_says_the_same(hooks: Webhooks) -> None:
    deliver()
    (got,) = hooks.received
    timestamp = got.headers["X-Switchyard-Timestamp"]
    signed = timestamp.encode() + b"." + got.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert got.headers["X-Switchyard-Signature"] == f"sha256={expected}"
    assert abs(time.time() - int(timestamp)) < 120
    assert got.json["id"] == got.headers["X-Switchyard-Delivery"]
    assert (got.json["rule"], got.json["event"]) == ("failing", "firing")
    (one,) = got.json["alerts"]
    assert (one["broker"], one["value"]) == ("default", 1)
    assert one["see"] == ["manage.py tasks errors --period 5m"]
    assert one["says"] in got.json["text"]


@pytest.mark.usefixtures("_fired")
def test_no_message_carries_what_an_error_says(
    mailed: SmtpServer, hooks: Webhooks
) -> None:
    deliver()
    said = [mail.as_string() for mail in mailed.messages]
    said += [one.body.decode() for one in hooks.received]
    assert len(said) == 2
    assert "hunter2" not in "".join(said)
    assert "is wrong" not in "".join(said)


@pytest.mark.usefixtures("_fired")
def test_slow_receiver_holds_up_neither_the_others_nor_the_clock(
    mailed: SmtpServer, hooks: Webhooks
) -> None:
    hooks.may_answer.clear()
    sender = Sender()
    start = time.monotonic()
    sender.step(DATABASE)
    in_time(time.monotonic() - start, 5 * PATIENCE, "the step")
    wait_for(lambda: mailed.messages and hooks.received)
    wait_for(lambda: sender.step(DATABASE) or undelivered() == 1)
    assert not look()
    hooks.may_answer.set()
    deliver(sender)
    assert undelivered() == 0


@pytest.mark.usefixtures("_fired")
def test_receiver_that_never_answers_is_late_and_gets_no_second_thread(
    hooks: Webhooks, monkeypatch: Any
) -> None:
    monkeypatch.setattr(sending, "SLACK", -sending.SECONDS)
    hooks.may_answer.clear()
    sender = Sender()
    sender.step(DATABASE)
    wait_for(lambda: hooks.received)
    sender.step(DATABASE)
    row = Notice.objects.get(receiver="hook")
    assert (row.state, row.answer) == (NoticeState.OPEN, "no answer within 15 s")
    advance_time(timedelta(seconds=10))
    sender.step(DATABASE)
    assert len(hooks.received) == 1
    hooks.may_answer.set()
    deliver(sender)
    row.refresh_from_db()
    assert (row.state, row.tries) == (NoticeState.SENT, 1)


@pytest.mark.usefixtures("_fired")
def test_receiver_that_was_away_gets_the_notice_later(
    mailed: SmtpServer, hooks: Webhooks
) -> None:
    hooks.status = 503
    mailed.stop()
    try:
        deliver()
    finally:
        mailed.start()
    answers = dict(told("receiver", "answer"))
    assert answers["hook"] == "it answered 503 Service Unavailable"
    assert "refused" in answers["mail"]
    hooks.status = 200
    advance_time(timedelta(seconds=10))
    deliver()
    assert undelivered() == 0
    first, second = hooks.received
    assert first.json["id"] == second.json["id"]


class Telltale:
    """A receiver of somebody's own, which says too much."""

    def __init__(self, token: str) -> None:
        self.secrets = [token]

    def send(self, notice: Notice, seconds: float) -> str:
        raise RuntimeError(f"401 for {self.secrets[0]}")


def test_receiver_of_ones_own_is_named_by_its_path() -> None:
    path = f"{__name__}.Telltale"
    told = receiver("mine", {"type": path, "token": "hunter2"}, ())
    assert ask(a_test(), told) == Answer(False, "RuntimeError: 401 for ***")


def test_class_that_cannot_send_is_no_receiver() -> None:
    with pytest.raises(AlertConfigError, match="Deadline has no send"):
        receiver("mine", {"type": "core.alerts.pinned.Deadline", "seconds": 1}, ())


def test_title_of_several_lines_is_one_line_of_a_mail(mailed: SmtpServer) -> None:
    notice = a_test()
    notice.title = "schedule night\r\nBcc: all@example.org"
    told = receiver("mail", {"type": "email", "to": ["ops@example.org"]}, ())
    assert ask(notice, told).ok
    (mail,) = mailed.messages
    assert mail["Subject"] == "schedule night Bcc: all@example.org"
    assert mail["Bcc"] is None


def test_fault_of_many_queues_is_one_message_of_the_first_ten(
    rules: Declare, mailed: SmtpServer
) -> None:
    rules(full={"when": "backlog", "above": 0, "to": ["mail"]})
    for number in range(12):
        leaks.send_with_options(args=["hunter2"], queue_name=f"queue{number:02}")
    look()
    deliver()
    (mail,) = mailed.messages
    assert mail["Subject"].endswith("1 run waits to start (and 11 more)")
    text = mail.get_content()
    assert text.count("1 run waits to start") == 10
    assert "and 2 more: manage.py tasks alerts" in text
