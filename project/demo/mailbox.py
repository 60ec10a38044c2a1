"""A real mail server for the demo, which is busy now and then."""

import threading
from email import message_from_bytes
from email.message import Message
from email.policy import default as policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from project.demo.processes import free_port

#: Every so manieth new recipient is told once to come back later.
BUSY_EVERY = 7


class Mailbox:
    """Keeps what arrives; refuses some first attempts, so that a retry is seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[Message] = []
        self._seen: set[str] = set()
        self.refused: list[str] = []
        # Not port 0: aiosmtpd connects to the port it was given.
        self._port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    def start(self) -> str:
        """Start listening; return the EMAIL_URL."""
        self._controller.start()
        return f"smtp://127.0.0.1:{self._port}"

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: Any,
    ) -> str:
        """Accept a recipient, or be busy."""
        with self._lock:
            new = address not in self._seen
            self._seen.add(address)
            if new and len(self._seen) % BUSY_EVERY == 0:
                self.refused.append(address)
                return "450 The mailbox is busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        with self._lock:
            content = envelope.content or b""
            raw = content.encode() if isinstance(content, str) else content
            self._mails.append(message_from_bytes(raw, policy=policy))
        return "250 OK"

    def to(self, address: str) -> list[Message]:
        """Return the mails that arrived for one address."""
        with self._lock:
            return [mail for mail in self._mails if address in str(mail["To"])]
