"""One run: what happened to it, attempt by attempt, and whom it belongs with."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import UnknownRun, group, monitoring
from core.testing import drain, perform, rehearsing
from tests.core.monitoring.figures import breaks, tries, works

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


def events(run_id: str) -> list[tuple[str, int]]:
    timeline = monitoring.run(run_id).timeline
    assert [event.at for event in timeline] == sorted(e.at for e in timeline)
    return [(event.what, event.attempt) for event in timeline]


def test_timeline_of_a_success() -> None:
    message = works.send()
    drain()
    told = [("created", 0), ("started", 1), ("succeeded", 0)]
    assert events(message.message_id) == told


def test_timeline_tells_every_attempt() -> None:
    message = tries.send()
    drain()
    run = monitoring.run(message.message_id)
    what = [event for event in events(run.id) if event != ("due", 0)]
    assert what == [
        ("created", 0),
        ("started", 1),
        ("failed", 1),
        ("started", 2),
        ("failed", 2),
        ("dead", 0),
    ]
    assert [one.number for one in run.attempts] == [1, 2]
    assert all("raise KeyError" in one.traceback for one in run.attempts)


def test_timeline_of_what_waits_says_when_it_is_due() -> None:
    message = works.using(delay=timedelta(hours=1)).send()
    assert events(message.message_id) == [("created", 0), ("due", 0)]


def test_attempt_that_failed_knows_its_cause() -> None:
    message = breaks.send()
    drain()
    (attempt,) = monitoring.run(message.message_id).attempts
    place = "tests.core.monitoring.figures.breaks"
    assert (attempt.kind, attempt.place) == ("RuntimeError", place)
    assert len(attempt.fingerprint) == 16


def test_pipeline_knows_before_and_after() -> None:
    first, second = works.message(0.0), works.message()
    (first | second).run()
    (after,) = monitoring.run(first.message_id).relatives
    (before,) = monitoring.run(second.message_id).relatives
    assert (after.relation, after.id) == ("then", second.message_id)
    assert (before.relation, before.id) == ("after", first.message_id)
    assert before.state == "pending"


def test_member_knows_its_group_and_what_follows_it() -> None:
    members, last = [works.message(), works.message()], works.message()
    group(members).then(last).run()
    of_member = monitoring.run(members[0].message_id).relatives
    assert [one.relation for one in of_member] == ["group", "then"]
    assert of_member[1].id == last.message_id
    (waits_for,) = monitoring.run(last.message_id).relatives
    assert (waits_for.relation, waits_for.state) == ("after", "open")
    for member in members:
        perform(member)
    (waited_for,) = monitoring.run(last.message_id).relatives
    assert waited_for.state == "ended"


def test_unknown_run_is_named() -> None:
    with pytest.raises(UnknownRun, match="nothing"):
        monitoring.run("nothing")


def test_snapshot_cannot_be_changed() -> None:
    run = monitoring.run(works.send().message_id)
    with pytest.raises(AttributeError):
        run.state = "dead"  # type: ignore[misc]  # that it is refused is the promise
