"""A real mail server, in a thread of the tests' process."""

import asyncio
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.services.environment import free_port


class SmtpServer:
    """Accepts every mail and keeps it."""

    def __init__(self, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        #: It answers so much later, s.
        self.pause = 0.0
        self._lock = threading.Lock()
        self._mails: list[tuple[list[str], EmailMessage]] = []
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        """What EMAIL_URL should be."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, if it does not yet."""
        if self._controller is None:
            self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
            self._controller.start()

    def stop(self) -> None:
        """Refuse connections from now on; what was received is kept."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def messages(self) -> list[EmailMessage]:
        """All mails, in the order of their arrival."""
        with self._lock:
            return [mail for _, mail in self._mails]

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails that were delivered to an address."""
        with self._lock:
            return [mail for recipients, mail in self._mails if address in recipients]

    def clear(self) -> None:
        """Forget what was received."""
        with self._lock:
            self._mails.clear()

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail."""
        content: Any = envelope.content or b""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        with self._lock:
            self._mails.append((list(envelope.rcpt_tos), mail))
        await asyncio.sleep(self.pause)
        return "250 OK"
