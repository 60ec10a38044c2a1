"""A broker's URL as both engines read it: the same one means the same place."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from core.errors import BrokerConfigError
from core.secrets.urls import without_password

#: What may follow the "?" of rediss:// and amqps://; certificates as file names.
TLS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
VERIFY = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_EXAMPLES = "redis://host:6379/0, unix:///run/redis.sock?db=0 or amqp://host:5672/"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's place; two URLs that mean the same one are equal."""

    scheme: str
    #: Or the path of a socket.
    host: str
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    #: The number of a Redis database, or a virtual host.
    place: str
    #: What follows the "?" about TLS; "ssl_cert_reqs" is always there with TLS.
    tls: Mapping[str, str]
    #: The URL as it was given, without its password.
    shown: str = field(compare=False)

    @property
    def is_redis(self) -> bool:
        return not self.scheme.startswith("amqp")

    @property
    def verify_mode(self) -> ssl.VerifyMode:
        """How the broker's certificate is verified; only with TLS."""
        return VERIFY[self.tls["ssl_cert_reqs"]]

    @property
    def is_socket(self) -> bool:
        return self.scheme == "unix"


class _Unusable(Exception):
    """A problem of a URL, in words without its password."""


def parse(alias: str, url: str) -> Address:
    """Return the address; raise `BrokerConfigError` for what no engine understands."""
    try:
        return _parse(url)
    except _Unusable as error:
        problem = str(error)
    except ValueError:  # its text may quote the password
        problem = (
            "it does not parse; write / @ : ? # of a password as %2F %40 and so on"
        )
    raise BrokerConfigError(
        alias, "URL", f"{without_password(url)!r}: {problem}. For example {_EXAMPLES}."
    )


def _parse(url: str) -> Address:
    parts = urlsplit(url)
    port = parts.port  # reading it checks it, before anything tells of the path
    if parts.scheme not in _PLACES:
        raise _Unusable(f"the scheme must be one of {', '.join(_PLACES)}")
    query = _query(parts)
    is_socket = parts.scheme == "unix"
    if is_socket and (parts.hostname or not parts.path.strip("/")):
        raise _Unusable("a socket needs three slashes and its whole path")
    if not is_socket and not parts.hostname:
        raise _Unusable("it names no host")
    if "amqp" in parts.scheme and parts.username and not parts.password:
        raise _Unusable("it names a user and no password")
    place = _PLACES[parts.scheme](parts, query)
    return Address(
        scheme=parts.scheme,
        host=parts.path if is_socket else str(parts.hostname),
        port=port,
        user=unquote(parts.username or "") or None,
        password=unquote(parts.password or "") or None,
        place=place,
        tls={"ssl_cert_reqs": "required", **query} if _has_tls(parts) else {},
        shown=without_password(url),
    )


def _has_tls(parts: SplitResult) -> bool:
    return parts.scheme in ("rediss", "amqps")


def _query(parts: SplitResult) -> dict[str, str]:
    known: list[str] = [] if "amqp" in parts.scheme else ["db"]
    known += TLS if _has_tls(parts) else ()
    query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    for name in query.keys() - set(known):
        raise _Unusable(f"it knows no parameter {name!r} (only {known})")
    if query.get("ssl_cert_reqs", "required") not in VERIFY:
        raise _Unusable(f"ssl_cert_reqs must be one of {', '.join(VERIFY)}")
    return query


def _database(parts: SplitResult, query: dict[str, str]) -> str:
    path = "" if parts.scheme == "unix" else parts.path.strip("/")
    text = query.pop("db", path)
    if text and not text.isdecimal():
        raise _Unusable(f"a Redis database is a number, not {text!r}")
    return text or "0"


def _virtual_host(parts: SplitResult, query: dict[str, str]) -> str:
    # amqp://host, amqp://host/, amqp://host// and amqp://host/%2F are all "/".
    return unquote(parts.path.removeprefix("/")) or "/"


_PLACES: dict[str, Callable[[SplitResult, dict[str, str]], str]] = {
    "redis": _database,
    "rediss": _database,
    "unix": _database,
    "amqp": _virtual_host,
    "amqps": _virtual_host,
}
