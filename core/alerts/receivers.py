"""Receivers: e-mail, webhook, log; others by their dotted path."""

import logging
from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from ipaddress import ip_network
from typing import Any, ClassVar, Protocol

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.module_loading import import_string

from core.alerts.pinned import Networks
from core.alerts.standard import addresses
from core.alerts.webhook import Webhook
from core.errors import AlertConfigError, NotDelivered
from core.models import Notice

logger = logging.getLogger("core.alerts")

#: Seconds that a receiver has to take a message.
SECONDS = 15.0


class Receiver(Protocol):
    """A receiver of notices. Called from a thread of its own, one notice at a time.

    `secrets` may be missing.
    """

    def send(self, notice: Notice, seconds: float) -> str:
        """Deliver within `seconds`; return what was answered, or raise.

        Raises `NotDelivered`, or whatever: the notice is tried again later.
        """

    @property
    def secrets(self) -> Iterable[str]:
        """The words that no answer and no error may show."""


class Email:
    """Sends by Django's e-mail."""

    def __init__(self, to: list[str], sender: str | None = None) -> None:
        if not isinstance(to, list | tuple) or not to:
            raise ValueError(f"to is {to!r}; it must be a list of addresses")
        for address in to:
            if "@" not in parseaddr(str(address))[1]:
                raise ValueError(f"to has {address!r}, which is no address")
        self.to = list(to)
        self.sender = sender

    @property
    def secrets(self) -> Iterable[str]:
        """The password of the mail server."""
        return [settings.EMAIL_HOST_PASSWORD]

    def send(self, notice: Notice, seconds: float) -> str:
        """Send one mail; its Message-ID is the same at every try."""
        smtp = settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
        unbound = smtp and settings.EMAIL_TIMEOUT is None
        options: dict[str, Any] = {"timeout": seconds} if unbound else {}
        mail = EmailMessage(
            " ".join(notice.title.split()),
            notice.text,
            self.sender,
            self.to,
            headers={"Message-ID": f"<{notice.key}@switchyard>"},
            connection=get_connection(**options),
        )
        if not mail.send():
            raise NotDelivered("the e-mail backend sent nothing")
        return f"sent to {', '.join(self.to)}"


class Admins(Email):
    """Sends to Django's ADMINS, from SERVER_EMAIL."""

    def __init__(self) -> None:
        if not settings.ADMINS:
            raise ValueError("ADMINS is empty")
        super().__init__(addresses(), settings.SERVER_EMAIL)


class Log:
    """Writes to the logger `core.alerts`."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def send(self, notice: Notice, seconds: float) -> str:
        """Log one record: an error, or what is over as a piece of information."""
        over = notice.event in ("resolved", "test")
        level = logging.INFO if over else logging.ERROR
        logger.log(level, "%s\n%s", notice.title, notice.text)
        return f"logged as {logging.getLevelName(level)} by core.alerts"


#: ALERTS["RECEIVERS"][name]["type"]; or a dotted path to a class like these.
TYPES: Mapping[str, type[Receiver]] = {
    "admins": Admins,
    "email": Email,
    "webhook": Webhook,
    "log": Log,
}


def receiver(name: str, given: Any, networks: Networks) -> Receiver:
    """Build one of ALERTS["RECEIVERS"]; raise `AlertConfigError`."""
    where = f"ALERTS['RECEIVERS'][{name!r}]"
    if not isinstance(given, Mapping):
        raise AlertConfigError(where, "it must be a dict, {'type': 'email', ...}")
    options = dict(given)
    kind = _kind(where, options.pop("type", None))
    if kind is Webhook:
        options["networks"] = networks
    try:
        built: Receiver = kind(**options)
    except (TypeError, ValueError) as error:
        raise AlertConfigError(where, str(error)) from None
    if not callable(getattr(built, "send", None)):
        raise AlertConfigError(where, f"{kind.__name__} has no send(notice, seconds)")
    return built


def _kind(where: str, given: Any) -> type[Any]:
    if isinstance(given, str) and given in TYPES:
        return TYPES[given]
    if not isinstance(given, str) or "." not in given:
        known = ", ".join(TYPES)
        problem = f"type is {given!r}; it must be one of {known}, or a dotted path"
        raise AlertConfigError(where, problem)
    try:
        found: type[Any] = import_string(given)
    except ImportError as error:
        raise AlertConfigError(where, f"type is {given!r}: {error}") from None
    return found


def networks(given: Any) -> Networks:
    """Read ALERTS["ALLOW_NETWORKS"]; raise `AlertConfigError`."""
    where = "ALERTS['ALLOW_NETWORKS']"
    if not isinstance(given, list | tuple):
        raise AlertConfigError(where, f"it is {given!r}; write a list: ['10.0.0.0/8']")
    try:
        return tuple(ip_network(one) for one in given)
    except ValueError as error:
        problem = f"{error}; write networks as 10.0.0.0/8"
        raise AlertConfigError(where, problem) from None
