"""docs/how-to/alerts.md says what the code does, and its good set is one."""

import hashlib
import hmac
import os
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.test import RequestFactory

from core.alerts import declared
from core.alerts.kinds import KINDS
from core.alerts.plan import KEYS
from core.alerts.webhook import sign
from tests.core.test_reference import rows, section

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "alerts.md"


def test_table_of_the_rules_is_that_of_the_code() -> None:
    told = {row[0]: row[1:] for row in rows(PAGE.read_text()) if row[0] in KINDS}
    assert list(told) == list(KINDS)
    for when, (above, within, meaning, only) in told.items():
        kind = KINDS[when]
        minutes = f"{kind.within // timedelta(minutes=1)} min"
        assert above == (f"{kind.above:g}" if "above" in kind.keys else "")
        assert within == (minutes if "within" in kind.keys else "")
        assert meaning == kind.meaning
        names = ("broker", "queue", "actor", "schedule")
        assert only.split(", ") == [name for name in names if name in kind.keys]
    assert KINDS["failure_rate"].at_least == 20


def test_documented_example_passes(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ALERT_URL", "https://chat.example.org/hook")
    monkeypatch.setenv("ALERT_SECRET", "s" * 32)
    snippet = re.search(r"```python\n(ALERTS = .*?)```", PAGE.read_text(), re.S)
    assert snippet
    space: dict[str, Any] = {"os": os, "timedelta": timedelta}
    exec(snippet[1], space)  # noqa: S102  # our own page
    settings.ALERTS = space["ALERTS"]
    plan = declared()
    assert plan.errors == ()
    assert len(plan.rules) == 7
    assert {rule.to for rule in plan.rules.values()} == {("ops", "chat")}


def test_reference_of_the_setting_has_every_key() -> None:
    assert [row[0] for row in rows(section("ALERTS"))] == list(KEYS)


def test_check_of_a_signature_takes_ours_and_nothing_else() -> None:
    snippet = re.search(r"```python\n(def is_ours.*?)```", PAGE.read_text(), re.S)
    assert snippet
    space: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(snippet[1].replace(": HttpRequest", ""), space)  # noqa: S102  # our own page

    def is_ours(body: bytes, sent_at: float, signed: bytes = b"{}") -> Any:
        at = str(int(sent_at))
        request = RequestFactory().post(
            "/",
            body,
            content_type="application/json",
            headers={
                "X-Switchyard-Timestamp": at,
                "X-Switchyard-Signature": sign("a secret", at, signed),
            },
        )
        return space["is_ours"](request, "a secret")

    assert is_ours(b"{}", time.time())
    assert not is_ours(b'{"a": 1}', time.time())
    assert not is_ours(b"{}", time.time() - 3600)
