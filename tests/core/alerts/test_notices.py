"""What is told once, by one process; late rather than never."""

from datetime import timedelta
from typing import Any

import pytest

from core import runs
from core.alerts import notices
from core.alerts.notices import CLAIM, GONE, MOST_TRIES
from core.models import Notice, NoticeState, Run
from core.options.retention import Retention
from core.testing import advance_time
from tests.core.alerts.conftest import DATABASE, Declare, look, told
from tests.core.monitoring.figures import breaks

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_rehearsed")]
RECEIVERS = ("mail", "log")
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _fired(rules: Declare) -> None:
    rules(full={"when": "backlog", "above": 0, "to": list(RECEIVERS)})
    breaks.send()
    assert look()


def claim(*receivers: str) -> list[Notice]:
    return notices.claim(DATABASE, receivers or RECEIVERS)


def the_one(receiver: str = "mail") -> Notice:
    (notice,) = claim(receiver)
    return notice


def test_notice_is_claimed_by_one_process() -> None:
    assert {one.receiver for one in claim()} == set(RECEIVERS)
    assert claim() == []


def test_notice_of_a_sender_that_died_is_sent_later_by_another() -> None:
    dead = the_one()
    advance_time((CLAIM - 5) * SECOND)
    assert claim("mail") == []
    advance_time(10 * SECOND)
    late = the_one()
    assert (late.pk, late.tries) == (dead.pk, 2)
    assert not notices.sent(DATABASE, dead, "by the dead")
    assert notices.sent(DATABASE, late, "by another")
    assert told("answer", "state")[0] == ("by another", NoticeState.SENT)


def test_notice_that_was_not_taken_is_tried_again_after_a_while() -> None:
    notices.failed(DATABASE, the_one(), "no")
    assert claim("mail") == []
    advance_time(6 * SECOND)
    notices.failed(DATABASE, the_one(), "no")
    advance_time(6 * SECOND)
    assert claim("mail") == []
    advance_time(5 * SECOND)
    assert the_one().tries == 3


def test_notice_is_given_up_after_many_tries(caplog: Any) -> None:
    for _ in range(MOST_TRIES):
        notices.failed(DATABASE, the_one(), "no")
        advance_time(timedelta(minutes=6))
    assert claim("mail") == []
    assert told("state")[0] == NoticeState.FAILED
    assert "Gave up telling mail" in caplog.text


def test_answer_that_comes_too_late_counts_unless_it_is_sent_again() -> None:
    slow = the_one()
    notices.failed(DATABASE, slow, "no answer")
    assert notices.sent(DATABASE, slow, "after all")
    other = the_one("log")
    notices.failed(DATABASE, other, "no answer")
    advance_time(6 * SECOND)
    again = the_one("log")
    assert not notices.sent(DATABASE, other, "after all")
    assert notices.sent(DATABASE, again, "")


def test_end_is_never_told_before_the_beginning() -> None:
    for _ in range(3):
        notices.failed(DATABASE, the_one(), "no")
        advance_time(timedelta(minutes=1))
    notices.failed(DATABASE, the_one(), "no")
    Run.objects.all().delete()
    assert look()
    assert told("event") == ["firing"] * 2 + ["resolved"] * 2
    assert claim("mail") == []
    advance_time(timedelta(minutes=1))
    first = the_one()
    assert first.event == "firing"
    notices.sent(DATABASE, first, "")
    assert the_one().event == "resolved"


def test_notice_for_a_receiver_that_is_gone_is_given_up() -> None:
    advance_time(GONE + SECOND)
    assert notices.give_up_old(DATABASE) == len(RECEIVERS)
    assert claim() == []


def test_sent_notices_are_pruned_and_unsent_ones_stay() -> None:
    notices.sent(DATABASE, the_one(), "250 OK")
    advance_time(timedelta(days=31))
    counts = runs.prune(DATABASE, "default", Retention())
    assert counts["alerts"] == 1
    assert told("receiver") == ["log"]
