"""A webhook: JSON, signed, to an address that is checked."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.alerts.pinned import PORTS, Networks, post
from core.models import Notice

#: The shortest key for signing.
SHORTEST = 16


class Webhook:
    """POSTs each notice; who has the secret can tell that it comes from here."""

    def __init__(self, url: str, secret: str, networks: Networks = ()) -> None:
        self.url = _checked(url)
        if not isinstance(secret, str) or len(secret) < SHORTEST:
            raise ValueError(f"secret must be a text of {SHORTEST} characters or more")
        self._secret = secret
        self._networks = networks

    @property
    def secrets(self) -> Iterable[str]:
        """The key; and the address but for its host: some are secrets, too."""
        return [self._secret, self.url.path, self.url.query]

    def send(self, notice: Notice, seconds: float) -> str:
        """Send it once; return the status of the answer."""
        body = json.dumps(payload(notice)).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "switchyard",
            "X-Switchyard-Delivery": str(notice.key),
            "X-Switchyard-Timestamp": timestamp,
            "X-Switchyard-Signature": sign(self._secret, timestamp, body),
        }
        return post(self.url, body, headers, seconds, self._networks)


def payload(notice: Notice) -> dict[str, Any]:
    """Return what is sent. Chats show `text`."""
    return {
        "id": str(notice.key),
        "rule": notice.rule,
        "event": notice.event,
        "title": notice.title,
        "text": f"{notice.title}\n{notice.text}",
        "at": notice.created_at.isoformat(),
        "alerts": notice.alerts,
    }


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body that is sent at that time."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _checked(url: Any) -> SplitResult:
    # Without the value: it may be a secret.
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        raise ValueError("url must be a text of plain characters")
    try:
        parts = urlsplit(url)
        known = parts.scheme in PORTS and parts.hostname and (parts.port or True)
    except ValueError:
        known = False
    if not known or " " in url:
        raise ValueError("url must be like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url has a user or a password: leave them out, it is signed")
    return parts
