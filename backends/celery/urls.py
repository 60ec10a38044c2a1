"""One spelling of a broker's URL, and what Kombu wants to hear instead."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from core.errors import BrokerConfigError
from core.secrets.urls import without_password

#: What may follow the "?" of a URL; certificates as file names.
_TLS = {"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_VERIFY = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_EXAMPLES = "redis://host:6379/0, unix:///run/redis.sock?db=0 or amqp://host:5672/"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, as keyword arguments of `kombu.Connection`."""

    transport: str  # "redis" or "amqp"
    arguments: dict[str, Any] = field(repr=False)  # holds the password
    #: The URL as it was given, without its password.
    shown: str = ""

    @property
    def is_redis(self) -> bool:
        return self.transport == "redis"


class _Unusable(Exception):
    """A problem of a URL, in words without its password."""


def parse(alias: str, url: str) -> Address:
    """Return what Kombu needs to reach `url`.

    Raises `BrokerConfigError` for what no transport here understands.
    """
    try:
        return replace(_parse(url), shown=without_password(url))
    except _Unusable as exc:
        problem = str(exc)
    except ValueError:  # its text may quote the password
        problem = (
            "it does not parse; write / @ : ? # of a password as %2F %40 and so on"
        )
    raise BrokerConfigError(
        alias, "URL", f"{without_password(url)!r}: {problem}. For example {_EXAMPLES}."
    )


def _parse(url: str) -> Address:
    parts = urlsplit(url)
    _ = parts.port  # reading it is what checks it
    build = _BUILDERS.get(parts.scheme)
    if build is None:
        raise _Unusable(f"the scheme must be one of {', '.join(_BUILDERS)}")
    return build(parts)


def _redis(parts: SplitResult) -> Address:
    query = _query(parts, {"db"} | _TLS)
    path = parts.path.strip("/")
    arguments = _host(parts)
    arguments["virtual_host"] = _database(query.pop("db", path))
    if parts.scheme == "rediss":
        # Left alone, Kombu would encrypt and verify nobody.
        arguments["ssl"] = {"ssl_cert_reqs": "required", **query}
    return Address("redis", arguments)


def _unix(parts: SplitResult) -> Address:
    query = _query(parts, {"db"})
    if parts.hostname or not parts.path.strip("/"):
        raise _Unusable("a socket needs three slashes and its whole path")
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@" if login else ""
    # Kombu reads user and password of a socket from its URL alone.
    where = f"redis+socket://{netloc}{parts.path}"
    database = _database(query.pop("db", ""))
    return Address("redis", {"hostname": where, "virtual_host": database})


def _amqp(parts: SplitResult) -> Address:
    query = _query(parts, _TLS)
    path = unquote(parts.path.removeprefix("/"))
    arguments = _host(parts)
    if ":" in arguments["hostname"]:
        arguments["hostname"] = f"[{arguments['hostname']}]"  # IPv6, as amqp reads it
    # amqp://host, amqp://host/, amqp://host// and amqp://host/%2F are all "/".
    arguments["virtual_host"] = path or "/"
    if parts.scheme == "amqps":
        verify = _VERIFY[query.pop("ssl_cert_reqs", "required")]
        files = {key.removeprefix("ssl_"): path for key, path in query.items()}
        arguments["ssl"] = {"cert_reqs": verify, **files}
        if verify is not ssl.CERT_NONE:
            # amqp checks a name whenever it is given one.
            arguments["ssl"]["server_hostname"] = parts.hostname
    return Address("amqp", arguments)


def _host(parts: SplitResult) -> dict[str, Any]:
    if not parts.hostname:
        raise _Unusable("it names no host")
    return {
        "hostname": parts.hostname,
        "port": parts.port,
        "userid": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
    }


def _database(text: str) -> str:
    if text and not text.isdecimal():
        raise _Unusable(f"a Redis database is a number, not {text!r}")
    return text or "0"


def _query(parts: SplitResult, known: set[str]) -> dict[str, str]:
    query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    for name in query.keys() - known:
        raise _Unusable(f"it knows no parameter {name!r} (only {sorted(known)})")
    if query.get("ssl_cert_reqs", "required") not in _VERIFY:
        raise _Unusable(f"ssl_cert_reqs must be one of {', '.join(_VERIFY)}")
    return query


_BUILDERS: dict[str, Callable[[SplitResult], Address]] = {
    "redis": _redis,
    "rediss": _redis,
    "unix": _unix,
    "amqp": _amqp,
    "amqps": _amqp,
}
