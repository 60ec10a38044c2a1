"""Alerts at a Sentry that is an HTTP server of the tests."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sentry_sdk

from core.alerts.receivers import receiver
from core.alerts.sending import ask
from core.models import Notice
from tests.services.webhooks import Webhooks


@pytest.fixture
def sentry() -> Iterator[Webhooks]:
    with Webhooks() as server:
        server.status = 200
        sentry_sdk.init(
            dsn=f"http://key@127.0.0.1:{server.port}/1",
            default_integrations=False,
            auto_enabling_integrations=False,
        )
        yield server
        sentry_sdk.init()


def tell(event: str = "firing") -> Any:
    told = receiver("s", {"type": "backends.sentry.Sentry"}, ())
    now = datetime.now(UTC)
    notice = Notice(rule="slow", event=event, title="It is", text="x", created_at=now)
    return ask(notice, told)


def events(server: Webhooks) -> list[dict[str, Any]]:
    bodies = [one.body for one in server.received]
    parts = [gzip.decompress(body).splitlines() for body in bodies]
    return [json.loads(part[2]) for part in parts if b'"event"' in part[1]]


def test_alert_is_an_event_of_its_rules_issue(sentry: Webhooks) -> None:
    first, second = tell(), tell("resolved")
    assert first.ok
    assert second.ok
    raised, over = events(sentry)
    assert first.text == f"handed to Sentry as event {raised['event_id']}"
    assert (raised["level"], over["level"]) == ("error", "info")
    assert raised["fingerprint"] == over["fingerprint"] == ["switchyard", "slow"]
    assert raised["message"] == "It is\nx"


def test_missing_sentry_setup_is_reported() -> None:
    answer = tell()
    assert not answer.ok
    assert "sentry_sdk.init" in answer.text
