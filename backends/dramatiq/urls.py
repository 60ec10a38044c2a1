"""Which URLs the adapter understands, and the one spelling it uses for each."""

from urllib.parse import SplitResult, quote, unquote, urlsplit

from core.errors import BrokerConfigError
from core.secrets.urls import without_password

REDIS_SCHEMES = ("redis", "rediss", "unix")
AMQP_SCHEMES = ("amqp", "amqps")


def normalise(alias: str, url: str) -> str:
    """Return the URL as redis-py or pika reads it, or raise `BrokerConfigError`.

    `amqp://host`, `amqp://host/`, `amqp://host//` and `/%2F` all mean the virtual
    host "/": Celery's spelling and Dramatiq's name the same place.
    """
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        port = parts.port
    except ValueError as error:
        raise _refusal(alias, url, f"{error}") from None
    if parts.scheme not in REDIS_SCHEMES + AMQP_SCHEMES:
        raise _refusal(alias, url, "the scheme is none that Dramatiq speaks")
    if parts.scheme == "unix":
        return url
    if not parts.hostname and port is not None:
        raise _refusal(alias, url, "it names a port but no host")
    if parts.scheme in AMQP_SCHEMES:
        return _with_virtual_host(parts)
    if not parts.path.strip("/").isdecimal() and parts.path.strip("/"):
        raise _refusal(alias, url, "the path of a Redis URL is a database number")
    return url


def is_amqp(url: str) -> bool:
    """Tell a RabbitMQ URL from a Redis one."""
    return urlsplit(url).scheme in AMQP_SCHEMES


def _with_virtual_host(parts: SplitResult) -> str:
    virtual_host = unquote(parts.path[1:]) or "/"
    return parts._replace(path="/" + quote(virtual_host, safe="")).geturl()


def _refusal(alias: str, url: str, problem: str) -> BrokerConfigError:
    return BrokerConfigError(
        alias,
        "URL",
        f"{without_password(url)!r} cannot be used: {problem}. Write redis://,"
        " rediss://, unix://, amqp:// or amqps://, as in redis://127.0.0.1:6379/0"
        " or amqp://guest:guest@127.0.0.1:5672//.",
    )
