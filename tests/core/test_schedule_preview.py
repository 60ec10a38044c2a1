"""The preview of a schedule in the admin: its words, its fires, its errors."""

import re

import pytest

from core import every
from core.models import Schedule
from tests.core.test_permissions import staff
from tests.core.test_schedule_admin import (
    FIELDS,
    PAGE,
    PREVIEW,
    audit,
    editor,
    made,
    secretive,
    shown,
)

pytestmark = pytest.mark.django_db(transaction=True)


REFUSED = [
    ({"expr": "0 25 * * *"}, "expr", "character 3: 25 is not in hour (0-23)"),
    ({"expr": "0 0 13 * FRI"}, "expr", "character 5: day 13 and weekday FRI"),
    ({"expr": ""}, "expr", "required"),
    ({"tz": "Europe/Atlantis"}, "tz", "no time zone"),
    ({"kind": "every", "number": "0.2", "unit": "seconds"}, "number", "a second"),
    ({"kind": "every", "number": "9e9", "unit": "weeks"}, "number", "too long"),
    ({"kind": "at", "when": "tomorrow"}, "when", "2026-12-24 18:00"),
    (
        {"kind": "at", "when": "2030-01-02", "deadline": "2030-01-01"},
        "deadline",
        "before the moment",
    ),
    (
        {"kind": "solar", "event": "dawn", "latitude": "90", "longitude": "0"},
        "latitude",
        "-89 to 89",
    ),
    ({"kind": "solar", "event": "dawn", "latitude": "1"}, "longitude", "required"),
    ({"excluded": "tomorrow"}, "excluded", "2026-12-24"),
    ({"actor_name": secretive.actor_name}, "actor_name", "valid choice"),
    ({"kwargs": '{"volume": 11}'}, "__all__", "volume"),
    ({"args": '["\\u0000"]'}, "__all__", "NUL"),
    ({"missed": "all"}, "__all__", "missed_max"),
]


@pytest.mark.parametrize(("fields", "place", "says"), REFUSED)
def test_preview_and_form_refuse_bad_input_alike(
    fields: dict[str, str], place: str, says: str
) -> None:
    client = editor()
    typed = client.post(PREVIEW, FIELDS | fields).json()
    saved = client.post(f"{PAGE}add/", FIELDS | fields)
    (error,) = saved.context["adminform"].form.errors[place]
    assert says in error
    assert typed["errors"][place] == [error]
    assert Schedule.objects.count() == 0
    assert audit() == []


def test_preview_tells_the_rule_in_words_and_the_next_fires_in_its_zone() -> None:
    fields = FIELDS | {"start_at": "2030-03-30T00:00"}
    told = editor().post(PREVIEW, fields).json()
    assert told["errors"] == {}
    assert "At 02:30, Europe/Berlin" in told["html"]
    cells = re.findall(r"<td>(.*?)</td>", told["html"])
    assert len(cells) == 30
    assert cells[:6] == [
        *("Sat 30 Mar 2030, 02:30", "+01:00", "30 Mar, 01:30"),
        *("Sun 31 Mar 2030, 03:00", "+02:00", "31 Mar, 01:00"),  # clocks are set
    ]
    assert Schedule.objects.count() == 0


def test_preview_marks_where_an_expression_is_wrong() -> None:
    told = editor().post(PREVIEW, FIELDS | {"expr": "0 9,25 * * *"}).json()
    assert "0 9,<mark>25</mark> * * *" in told["html"]


def test_preview_says_no_more_fires_than_are_left() -> None:
    row = made(every(hours=1), max_fires=5)
    Schedule.objects.update(fires=3)
    client = editor()
    told = client.post(f"{PREVIEW}?id={row.pk}", shown(client, row)).json()
    assert len(re.findall("<tr><td>", told["html"])) == 2


def test_preview_escapes_what_was_typed() -> None:
    told = editor().post(PREVIEW, FIELDS | {"expr": "<script> * * * *"}).json()
    assert "<script>" not in told["html"]
    assert "&lt;script&gt;" in told["html"]


@pytest.mark.parametrize(
    ("permissions", "query", "status"),
    [
        (["view_schedule"], "", 403),
        (["change_schedule"], "", 403),
        (["add_schedule"], "", 200),
        (["add_schedule"], "?id={}", 403),
        (["change_schedule"], "?id={}", 200),
    ],
)
def test_preview_is_for_who_may_save(
    permissions: list[str], query: str, status: int
) -> None:
    url = PREVIEW + query.format(made(name="other").pk)
    assert staff(*permissions).post(url, FIELDS).status_code == status


def test_preview_is_a_post_with_a_token() -> None:
    client = staff("add_schedule", strict=True)
    assert client.get(PREVIEW).status_code == 405
    assert client.post(PREVIEW, FIELDS).status_code == 403


def test_page_needs_nothing_inline_or_from_elsewhere() -> None:
    # As under Content-Security-Policy: default-src 'self'.
    row = made()
    client = editor()
    for url in (PAGE, f"{PAGE}add/", f"{PAGE}{row.pk}/change/"):
        page = client.get(url).text
        assert "core/schedule.js" in page
        scripts = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page)
        assert [tag for tag in scripts if "application/json" not in tag] == []
        assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
        assert re.findall(r"(?:src|href)=.?(?:https?:)?//", page) == []
