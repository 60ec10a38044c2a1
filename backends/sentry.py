"""Alerts as Sentry events: one issue for each rule. Needs sentry-sdk.

    ALERTS["RECEIVERS"]["sentry"] = {"type": "backends.sentry.Sentry"}

Your own `sentry_sdk.init(dsn=...)` says where to, in the workers and the schedulers.
"""

from typing import TYPE_CHECKING, ClassVar

import sentry_sdk

from core.errors import NotDelivered
from core.models import Notice

if TYPE_CHECKING:
    from sentry_sdk._types import LogLevelStr

_LEVELS: "dict[str, LogLevelStr]" = {"resolved": "info", "test": "info"}


class Sentry:
    """Hands each notice to the SDK; what became of it there is not known here."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def send(self, notice: Notice, seconds: float) -> str:
        """Capture one event, and wait until the SDK has sent what it has."""
        if sentry_sdk.get_client().dsn is None:
            raise NotDelivered("Sentry is not set up here: call sentry_sdk.init")
        event = sentry_sdk.capture_event(
            {
                "message": f"{notice.title}\n{notice.text}",
                "level": _LEVELS.get(notice.event, "error"),
                "logger": "core.alerts",
                # What repeats, and what is over, belongs to the issue that began it.
                "fingerprint": ["switchyard", notice.rule],
                "tags": {"alert_rule": notice.rule, "alert_event": notice.event},
                "extra": {"alerts": notice.alerts, "delivery": str(notice.key)},
            }
        )
        sentry_sdk.flush(timeout=seconds)
        if event is None:
            raise NotDelivered("the SDK dropped it: see its sample rates and filters")
        return f"handed to Sentry as event {event}"
