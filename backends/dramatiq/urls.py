"""A broker's address as redis-py and pika want to hear it."""

import ssl
from typing import Any

import pika
import redis

from backends.address import Address


def redis_pool(address: Address, **options: Any) -> redis.ConnectionPool:
    """Return a pool of connections to Redis; `options` are those of each."""
    login: dict[str, Any] = {
        "username": address.user,
        "password": address.password,
        "db": int(address.place),
    }
    if address.is_socket:
        return redis.ConnectionPool(
            connection_class=redis.UnixDomainSocketConnection,
            path=address.host,
            **login,
            **options,
        )
    return redis.ConnectionPool(
        connection_class=redis.SSLConnection if address.tls else redis.Connection,
        host=address.host,
        port=address.port or 6379,
        **login,
        **dict[str, Any](address.tls),
        **options,
    )


def pika_parameters(address: Address) -> pika.ConnectionParameters:
    """Return the parameters; raise `OSError` for a certificate that is not there."""
    default = pika.ConnectionParameters
    login = pika.PlainCredentials(address.user or "guest", address.password or "guest")
    return pika.ConnectionParameters(
        host=address.host,
        port=address.port
        or (default.DEFAULT_SSL_PORT if address.tls else default.DEFAULT_PORT),
        virtual_host=address.place,
        credentials=login,
        ssl_options=_tls(address) if address.tls else None,
    )


def _tls(address: Address) -> pika.SSLOptions:
    context = ssl.create_default_context(cafile=address.tls.get("ssl_ca_certs"))
    context.check_hostname = address.verify_mode is not ssl.CERT_NONE
    context.verify_mode = address.verify_mode
    if certificate := address.tls.get("ssl_certfile"):
        context.load_cert_chain(certificate, address.tls.get("ssl_keyfile"))
    return pika.SSLOptions(context, address.host)
