"""What Celery's adapter makes of messages that Celery would choke on."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from backends.celery.reading import PARK, UNDECLARED, prepare
from backends.celery.redis_channel import GARBAGE, envelope

QUEUE = "ns.celery.default.mail"
LONGEST = 1_000_000
ACTOR = "shop.tasks.send_receipt"
WELL_FORMED = b'[["signed"], {}, {"callbacks": null, "chord": null}]'


def message(body: bytes = WELL_FORMED, **changes: Any) -> SimpleNamespace:
    """A message as our publisher writes it, but for what is given."""
    fields: dict[str, Any] = {
        "headers": {"task": ACTOR, "id": "1", "eta": None, "retries": 0},
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "errors": [],
        "_decoded_cache": None,
    }
    return SimpleNamespace(body=body, **{**fields, **changes})


def headers(**changes: Any) -> dict[str, Any]:
    return {"task": ACTOR, "id": "1", **changes}


@pytest.mark.parametrize(
    "bad",
    [
        message(b"{nope"),
        message(b""),
        message(b"7"),
        message(b"null"),
        message(b'{"args": 1}'),
        message(b'[["signed"], {}]'),
        message(b'[["signed"], [], {}]'),
        message(b'[["signed"], {}, [1]]'),
        message(b'[["signed"], {}, {"chord": {"task": "x"}}]'),
        message(b'[["signed", "more"], {}, {}]'),
        message(b"[[7], {}, {}]"),
        message(b"[" * 100_000),
        message(headers=None),
        message(headers=["task"]),
        message(headers={"id": "1"}),
        message(headers={"task": ACTOR}),
        message(headers=headers(task=["list"])),
        message(headers=headers(id=5)),
        message(headers=headers(eta="soon")),
        message(headers=headers(expires="soon")),
        message(content_type="application/x-python-serialize"),
        message(content_encoding="binary"),
    ],
    ids=lambda bad: f"{bad.headers} {bad.body[:30]!r} {bad.content_type}"[:80],
)
def test_malformed_celery_message_becomes_a_call_that_parks_it(bad: Any) -> None:
    body = bad.body
    prepare(bad, frozenset({ACTOR}), LONGEST)
    (raw, reason), kwargs, embed = json.loads(bad.body)
    assert bad.headers["task"] == PARK
    assert base64.b64decode(raw) == body
    assert reason
    assert (kwargs, embed) == ({}, {})


def test_headers_that_celery_would_obey_are_dropped() -> None:
    found = message(
        headers=headers(
            timelimit=[1, 1],
            stamped_headers=5,
            get="shadows a method",
            traceparent="00-ab-cd-01",
            headers={"sentry-trace": "12-34"},
        )
    )
    prepare(found, frozenset({ACTOR}), LONGEST)
    assert found.headers == {
        "lang": "py",
        "task": ACTOR,
        "id": "1",
        "root_id": "1",
        "shadow": ACTOR,
        "traceparent": "00-ab-cd-01",
        "headers": {"sentry-trace": "12-34"},
    }


def test_an_actor_nobody_declared_here_is_delivered_all_the_same() -> None:
    found = message(headers=headers(task="shop.tasks.of_the_next_release"))
    prepare(found, frozenset({ACTOR}), LONGEST)
    assert found.headers["task"] == UNDECLARED
    assert found.headers["shadow"] == "shop.tasks.of_the_next_release"


@pytest.mark.parametrize(
    "item",
    [
        b"",
        b"\xff\x00 random",
        b"7",
        b"null",
        b"{}",
        b'{"body": 5, "properties": {}}',
        b'{"body": "!!", "properties": {"body_encoding": "base64"}}',
        b'{"body": "x", "properties": {"body_encoding": "rot13"}}',
        b'{"__type__": "uuid", "__value__": "no"}',
        b"[" * 100_000,
    ],
    ids=lambda item: repr(item[:40]),
)
def test_a_list_item_that_is_no_message_is_kept_byte_for_byte(item: bytes) -> None:
    found = envelope(item, QUEUE, 0, LONGEST)
    assert found["content-type"] == GARBAGE
    assert base64.b64decode(found["body"]) == item


def test_a_list_item_goes_back_to_where_it_was_found() -> None:
    item = {
        "body": "signed",
        "headers": None,
        "properties": {
            "delivery_tag": "copied",
            "delivery_info": {"exchange": "elsewhere", "routing_key": "other"},
            "priority": 0,
        },
    }
    properties = envelope(json.dumps(item).encode(), QUEUE, 3, LONGEST)["properties"]
    assert properties["delivery_info"] == {"exchange": "", "routing_key": QUEUE}
    assert properties["delivery_tag"] != "copied"
    assert properties["priority"] == 3


def test_oversized_message_is_parked_unread() -> None:
    found = message(WELL_FORMED)
    prepare(found, frozenset({ACTOR}), len(WELL_FORMED) - 1)
    (raw, reason), _, _ = json.loads(found.body)
    assert found.headers["task"] == PARK
    assert base64.b64decode(raw) == WELL_FORMED
    assert reason == f"it is longer than {len(WELL_FORMED) - 1} bytes"


def test_a_list_item_that_is_too_long_is_kept_unread() -> None:
    item = json.dumps({"body": "x", "properties": {}}).encode()
    assert envelope(item, QUEUE, 0, len(item))["content-type"] != GARBAGE
    assert envelope(item, QUEUE, 0, len(item) - 1)["content-type"] == GARBAGE
