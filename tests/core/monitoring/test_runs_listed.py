"""Runs as an operator looks for them, and pages through them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from core import InvalidFilter, Message, monitoring, send_many
from core.models import Run
from core.monitoring import streams
from core.testing import advance_time, drain, perform, rehearsing
from tests.core.monitoring.figures import breaks, tries, works

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


@pytest.fixture
def some() -> dict[str, Message]:
    """One run of each kind."""
    messages = {"succeeded": works.send(), "dead": breaks.send("oil")}
    drain()
    cancelled = works.using(delay=timedelta(hours=1)).send()
    cancelled.cancel()
    pending = tries.using(delay=timedelta(hours=1)).send()
    return {**messages, "cancelled": cancelled, "pending": pending}


def ids(**filters: Any) -> set[str]:
    found = [run.id for run in monitoring.runs(**filters)]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled", "pending"])
def test_state_filter_keeps_runs_in_it(some: dict[str, Message], state: str) -> None:
    assert ids(state=state) == {some[state].message_id}


def test_actor_filter_keeps_open_and_ended_runs(some: dict[str, Message]) -> None:
    waits = works.using(delay=timedelta(hours=1)).send()
    mine = [some["succeeded"], some["cancelled"], waits]
    assert ids(actor_name=works.actor_name) == {one.message_id for one in mine}
    assert ids(actor_name=works.actor_name, state="pending") == {waits.message_id}


def test_queue_worker_and_alias_leave_theirs(some: dict[str, Message]) -> None:
    brittle = {some["dead"].message_id, some["pending"].message_id}
    worker = monitoring.run(some["dead"].message_id).worker
    assert ids(queue_name="brittle") == brittle
    assert ids(worker=worker) == {some[n].message_id for n in ("succeeded", "dead")}
    assert ids(broker="default") == {one.message_id for one in some.values()}
    assert ids(broker="inprocess") == set()


def test_search_finds_words_of_an_error(some: dict[str, Message]) -> None:
    assert ids(search="IS OIL") == {some["dead"].message_id}
    assert ids(search="is gas") == set()


def test_search_finds_an_id_by_its_beginning(some: dict[str, Message]) -> None:
    wanted = some["succeeded"].message_id
    for text in (wanted[:8], wanted[:13].upper(), wanted):
        assert ids(search=text) == {wanted}


def test_since_and_until_mean_the_creation(some: dict[str, Message]) -> None:
    old = Run.objects.filter(pk=some["dead"].message_id)
    old.update(created_at=F("created_at") - timedelta(hours=2))
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert ids(until=an_hour_ago) == {some["dead"].message_id}
    assert some["dead"].message_id not in ids(since=an_hour_ago.isoformat())
    assert len(ids(since=an_hour_ago.isoformat())) == 3


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"until": "2026-02-31T00:00"}, "until is '2026-02-31T00:00'"),
        ({"before": "x"}, "before is 'x'"),
        ({"before": "2026-01-01T00:00:00+00:00_7"}, "before is"),
        ({"limit": 0}, "limit is 0: give 1 to 1000"),
        ({"limit": 10**6}, "limit is 1000000"),
    ],
)
def test_bad_value_is_named(filters: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        monitoring.page(**filters)
    assert told in str(caught.value)


def all_pages(limit: int, **filters: Any) -> list[list[str]]:
    pages, before = [], ""
    while len(pages) < 30:
        page = monitoring.page(limit=limit, before=before, **filters)
        pages.append([run.id for run in page.runs])
        before = page.next
        if not before:
            return pages
    raise AssertionError("pages without an end")


@pytest.mark.parametrize("filters", [{}, {"queue_name": "brittle"}])
def test_pages_show_each_run_once_and_in_order(filters: dict[str, str]) -> None:
    # All created by one statement, at one time.
    send_many([breaks.message(str(number)) for number in range(7)])
    breaks.send()
    pages = all_pages(3, **filters)
    assert [len(page) for page in pages] == [3, 3, 2]
    rows = Run.objects.order_by("-created_at", "-pk").values_list("pk", flat=True)
    assert [one for page in pages for one in page] == [str(pk) for pk in rows]


def test_page_goes_on_where_it_ended_though_new_ones_came() -> None:
    sent = {works.send().message_id for _ in range(4)}
    page = monitoring.page(limit=2)
    works.send()
    after = monitoring.page(limit=2, before=page.next)
    assert {run.id for run in (*page.runs, *after.runs)} == sent


def test_page_looks_through_a_bounded_number_of_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "LOOKED", 3)
    wanted = breaks.send()
    for _ in range(8):
        works.send()
    drain()
    pages = all_pages(5, queue_name="brittle")
    assert pages[0] == []
    assert [one for page in pages for one in page] == [wanted.message_id]
    assert ids(queue_name="brittle") == {wanted.message_id}


def test_waiting_run_is_found_behind_any_number_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "LOOKED", 2)
    waits = tries.using(delay=timedelta(hours=1)).send().message_id
    for _ in range(5):
        works.send()
    found = monitoring.page(actor_name=tries.actor_name)
    assert [run.id for run in found.runs] == [waits]
    assert monitoring.page(queue_name="brittle", state="pending").runs == found.runs


def test_waiting_and_ended_runs_are_in_one_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "LOOKED", 2)
    sent = []
    for attempts in (1, 2, 2, 2, 2, 2):  # the first one waits for its retry
        message = tries.send()
        sent.append(message.message_id)
        for _ in range(attempts):
            perform(message)
        advance_time(timedelta(seconds=1))
    shown = all_pages(9, actor_name=tries.actor_name, search="gone")
    assert [one for page in shown for one in page] == sent[::-1]


@pytest.mark.parametrize("state", ["", "dead"])
def test_bounded_pages_of_an_actor_show_each_run_once(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(streams, "LOOKED", 2)
    sent = {breaks.send("oil").message_id for _ in range(5)}
    others = [breaks.send().message_id for _ in range(5)]
    drain()
    filters = {"actor_name": breaks.actor_name, "search": "is oil"}
    filters |= {"state": state} if state else {}
    shown = [one for page in all_pages(2, **filters) for one in page]
    assert set(shown) == sent
    assert len(shown) == len(sent) == len(others)
