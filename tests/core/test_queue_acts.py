"""manage.py tasks pause, resume and purge, and what is seen of a paused queue."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db.models.functions import Now

from core import actor, control, monitoring, runs
from core.models import AuditEntry, Pause, Run, State
from core.testing import rehearsing
from tests.core.verbs import tasks, told

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]

ALIAS = "inprocess"


@actor(queue_name="goods")
def carry(number: int) -> None:
    """Sent to a queue that no other test knows."""


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


def send(number: int = 3) -> list[str]:
    options = {"broker": ALIAS}
    sent = [carry.send_with_options(args=[n], **options) for n in range(number)]
    return [message.message_id for message in sent]


def goods() -> monitoring.QueueSnapshot:
    (found,) = [one for one in monitoring.queues(ALIAS) if one.name == "goods"]
    return found


def audited() -> list[tuple[str, str, int]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("verb", "target", "changed"))


def test_pause_is_seen_with_who_and_when_and_ends_with_resume() -> None:
    send()
    assert told("pause", "goods", "--broker", ALIAS) == {"changed": 1}
    assert goods().paused_by.startswith("command line: ")
    assert goods().paused_at is not None
    assert tasks("queues", "--broker", ALIAS).count("by command line") == 1
    again = tasks("pause", "goods", "--broker", ALIAS)
    assert again == "goods was paused already.\n"
    assert tasks("resume", "goods", "--broker", ALIAS) == "Resumed goods on 1 broker.\n"
    assert (goods().paused_at, goods().paused_by) == (None, "")
    assert audited() == [
        ("pause", "queue inprocess/goods", 1),
        ("pause", "queue inprocess/goods", 0),
        ("resume", "queue inprocess/goods", 1),
    ]


def test_pause_without_an_alias_pauses_all() -> None:
    send()
    assert told("pause", "goods")["changed"] == Pause.objects.count() > 1
    assert told("resume", "goods")["changed"] > 1
    assert not Pause.objects.exists()


def test_audit_is_told_with_its_filters() -> None:
    send()
    told("pause", "goods", "--broker", ALIAS)
    control.resume("goods", by="nightly clean-up", broker=ALIAS)
    newest, oldest = told("audit")
    assert (newest["verb"], newest["by"]) == ("resume", "nightly clean-up")
    assert (oldest["verb"], oldest["changed"]) == ("pause", 1)
    assert [one["verb"] for one in told("audit", "--verb", "pause")] == ["pause"]
    assert [one["verb"] for one in told("audit", "--by", "NIGHTLY")] == ["resume"]
    assert told("audit", "--limit", "1") == [newest]
    (line,) = [one for one in tasks("audit").splitlines() if "nightly" in one]
    assert line.split()[2:] == [
        "nightly",
        "clean-up",
        "resume",
        "1",
        "queue",
        "inprocess/goods",
    ]
    assert tasks("audit", "--by", "nobody") == "Nobody has done anything.\n"


def test_suspect_of_a_paused_queue_is_not_taken_either() -> None:
    (run_id,) = send(1)
    Run.objects.filter(pk=run_id).update(crashes=1, relay_at=Now(), due_at=Now())
    told("pause", "goods", "--broker", ALIAS)
    assert runs.count_suspects("default", ALIAS) == 0
    assert runs.reserve_suspect("default", ALIAS, 5, {}) == []
    told("resume", "goods", "--broker", ALIAS)
    assert runs.count_suspects("default", ALIAS) == 1


def test_purge_cancels_what_has_not_started_and_counts_first() -> None:
    send(3)
    counted = told("purge", "goods", "--dry-run", "--broker", ALIAS)
    assert counted == {"cancelled": 3, "at_broker": 0}
    assert not Run.objects.filter(state=State.CANCELLED).exists()
    assert audited() == []
    text = tasks("purge", "goods", "--broker", ALIAS)
    assert text == "Cancelled 3 runs; 0 messages at the broker.\n"
    assert Run.objects.filter(state=State.CANCELLED).count() == 3
    assert audited() == [("purge", "queue inprocess/goods", 3)]


@pytest.mark.parametrize("verb", ["pause", "resume", "purge"])
def test_unknown_queue_is_refused_with_the_known_ones(verb: str) -> None:
    with pytest.raises(
        CommandError, match=r"no queue named .goodz.; there are: .*goods"
    ):
        tasks(verb, "goodz")
    with pytest.raises(CommandError, match="'nowhere' is not in BROKERS"):
        tasks(verb, "goods", "--broker", "nowhere")
    assert audited() == []


def test_runs_at_the_broker_count_as_waiting() -> None:
    (run_id,) = send(1)
    hour = timedelta(hours=1)
    Run.objects.filter(pk=run_id).update(state=State.QUEUED, due_at=Now() - hour)
    wait = goods().oldest_wait
    assert wait is not None
    assert 3600 <= wait < 3700
