"""A broker's address as Kombu wants to hear it."""

import ssl
from typing import Any
from urllib.parse import quote

from backends.address import Address


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
        # Left alone, Kombu would encrypt Redis and verify nobody.
        arguments["ssl"] = dict(address.tls) if address.is_redis else _tls(address)
    return arguments


def _socket(address: Address) -> str:
    user, password = quote(address.user or "", safe=""), address.password
    login = f"{user}:{quote(password, safe='')}@" if password else ""
    return f"redis+socket://{login}{address.host}"


def _tls(address: Address) -> dict[str, Any]:
    """Return it as amqp wants it; it checks a name whenever it is given one."""
    verify, files = address.verify_mode, dict(address.tls)
    del files["ssl_cert_reqs"]
    name = {} if verify is ssl.CERT_NONE else {"server_hostname": address.host}
    given = {key.removeprefix("ssl_"): path for key, path in files.items()}
    return {"cert_reqs": verify, **given, **name}
