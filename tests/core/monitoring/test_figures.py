"""What ended and how long it took; failures by their cause; what needs a look."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from core import actor, brokers, control, monitoring, runs
from core.models import Run
from core.runs.histogram import BOUNDS, percentile
from core.testing import advance_time, drain, rehearsing
from tests.core.monitoring.figures import ALIAS, breaks, roll_up, tries, works

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


def figures_of(name: str) -> monitoring.ActorSnapshot:
    (found,) = [one for one in monitoring.actors() if one.name == name]
    return found


def test_figures_of_an_actor_count_outcomes() -> None:
    for _ in range(2):
        tries.send()
    drain()
    roll_up()
    found = figures_of(tries.actor_name)
    assert (found.runs, found.dead, found.failures) == (2, 2, 4)
    assert (found.broker, found.queue, found.declared) == (ALIAS, "brittle", True)


def test_actor_that_has_not_run_is_listed() -> None:
    found = figures_of(works.actor_name)
    assert (found.runs, found.waiting_p95, found.running_p50) == (0, None, None)


def test_wait_is_measured_from_due_to_started() -> None:
    for _ in range(3):
        works.using(delay=timedelta(hours=1)).send()
    advance_time(timedelta(hours=1, seconds=30))
    drain()
    roll_up()
    found = figures_of(works.actor_name)
    assert found.waiting_p50 is not None
    assert 20 < found.waiting_p50 <= (found.waiting_p95 or 0) < 50
    assert found.running_p95 is not None
    assert found.running_p95 < 5


def test_runs_that_ended_before_the_period_are_left_out() -> None:
    works.send()
    drain()
    roll_up(timedelta(hours=30))
    assert monitoring.stats().runs == 0
    assert monitoring.stats(timedelta(days=2)).runs == 1
    assert monitoring.stats(timedelta(days=30)).runs == 1


def test_stats_are_of_all_or_of_one_actor_or_queue() -> None:
    works.send()
    tries.send()
    drain()
    roll_up()
    assert monitoring.stats().runs == 2
    assert monitoring.stats(actor=works.actor_name).succeeded == 1
    assert monitoring.stats(queue="brittle").failures == 2
    assert monitoring.stats(broker="inprocess").runs == 0


def test_points_add_up_to_the_whole() -> None:
    for _ in range(3):
        works.send()
        drain()
        roll_up()
    found = monitoring.stats()
    assert sum(point.succeeded for point in found.points) == found.succeeded == 3
    assert {point.span for point in found.points} == {60}


def test_percentile_is_off_by_less_than_its_bucket() -> None:
    taken = [number / 10 for number in range(1, 10_000)]
    buckets: dict[str, int] = {}
    for ms in taken:
        number = next(n for n, bound in enumerate(BOUNDS) if ms < bound)
        buckets[str(number)] = buckets.get(str(number), 0) + 1
    for share in (0.5, 0.95, 1.0):
        found, exact = percentile(buckets, share), taken[int(share * len(taken)) - 1]
        assert found is not None
        assert exact / 1.5 < found * 1000 < exact * 1.5


def test_percentile_of_nothing_is_none() -> None:
    assert percentile({}, 0.95) is None


def groups() -> dict[str, monitoring.ErrorSnapshot]:
    return {one.actor_name: one for one in monitoring.errors()}


@actor(actor_name="test.monitoring.breaks_twice", queue_name="brittle", max_retries=0)
def breaks_here_or_there(there: bool) -> None:
    """Fail with one type in one of two functions."""
    if there:
        elsewhere()
    raise RuntimeError("here")


def elsewhere() -> None:
    raise RuntimeError("there")


def test_failures_of_one_cause_are_one_group() -> None:
    messages = [breaks.send(f"{word}") for word in ("cold", "wet", "gone")]
    tries.send()
    drain()
    found = groups()[breaks.actor_name]
    assert (found.count, found.kind) == (3, "RuntimeError")
    assert found.run_id in [message.message_id for message in messages]
    assert found.first_seen <= found.last_seen
    assert groups()[tries.actor_name].count == 2


def test_failures_elsewhere_or_of_another_actor_are_another_group() -> None:
    for there in (True, False):
        breaks_here_or_there.send(there)
    breaks.send()
    drain()
    found = monitoring.errors()
    places = {one.place.rpartition(".")[2] for one in found}
    assert places == {"elsewhere", "breaks_here_or_there", "breaks"}
    assert len({one.fingerprint for one in found}) == 3


@actor(actor_name="test.monitoring.breaks_deep", queue_name="brittle", max_retries=0)
def breaks_in_a_library() -> None:
    """Fail in code that is not ours."""
    UUID("no id")


def test_failure_location_is_in_project_code() -> None:
    breaks_in_a_library.send()
    drain()
    (found,) = monitoring.errors()
    assert found.place == f"{__name__}.breaks_in_a_library"


def test_crash_is_a_group_of_its_own() -> None:
    message = works.send()
    runs.claim("default", UUID(message.message_id), "gone")
    runs.rescue("default", ALIAS)
    found = groups()[works.actor_name]
    assert (found.kind, found.place) == ("crashed", "")


def test_cancelled_run_is_no_error() -> None:
    message = works.send()
    Run.objects.filter(pk=message.message_id).update(cancel_requested=True)
    drain()
    assert message.status() == "cancelled"
    assert monitoring.errors() == []
    roll_up()
    assert monitoring.stats().failures == 0


def test_old_failures_are_left_out() -> None:
    breaks.send()
    drain()
    advance_time(timedelta(hours=25))
    assert monitoring.errors() == []
    assert len(monitoring.errors(timedelta(days=2))) == 1


def test_dead_letters_are_dead_runs_and_parked_messages() -> None:
    message = breaks.send()
    drain()
    brokers[ALIAS].park("physical", b"\xff\x00", "not JSON")
    found = monitoring.dead_letters()
    assert (found.dead_count, found.parked_count) == (1, 1)
    assert found.dead[0].id == message.message_id
    assert (found.parked[0].size, found.parked[0].reason) == (2, "not JSON")
    control.requeue([message.message_id], by="a test")
    assert monitoring.dead_letters().dead == ()
