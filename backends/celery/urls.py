"""A broker's address as Kombu wants to hear it."""

import ssl
from typing import Any
from urllib.parse import quote

from backends.address import Address

_VERIFY = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def kombu_arguments(address: Address) -> dict[str, Any]:
    """Return the keyword arguments of `kombu.Connection` that say where to connect."""
    arguments: dict[str, Any] = {
        "transport": "redis" if address.is_redis else "amqp",
        "virtual_host": address.place,
    }
    if address.is_socket:
        # Kombu reads user and password of a socket from its URL alone.
        return arguments | {"hostname": _socket(address)}
    arguments |= {
        "hostname": address.host,
        "port": address.port,
        "userid": address.user,
        "password": address.password,
    }
    if not address.is_redis and ":" in address.host:
        arguments["hostname"] = f"[{address.host}]"  # IPv6, as amqp reads it
    if address.tls:
        tls = dict(address.tls)
        # Left alone, Kombu would encrypt Redis and verify nobody.
        arguments["ssl"] = tls if address.is_redis else _amqp_tls(address, tls)
    return arguments


def _socket(address: Address) -> str:
    user, password = quote(address.user or "", safe=""), address.password
    login = f"{user}:{quote(password, safe='')}@" if password else ""
    return f"redis+socket://{login}{address.host}"


def _amqp_tls(address: Address, tls: dict[str, str]) -> dict[str, Any]:
    verify = _VERIFY[tls.pop("ssl_cert_reqs")]
    files = {name.removeprefix("ssl_"): path for name, path in tls.items()}
    # amqp checks a name whenever it is given one.
    name = {} if verify is ssl.CERT_NONE else {"server_hostname": address.host}
    return {"cert_reqs": verify, **files, **name}
