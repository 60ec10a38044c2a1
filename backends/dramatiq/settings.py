"""django_dramatiq's setting, derived from ours; used where settings are written."""

from collections.abc import Mapping
from typing import Any

from backends.address import parse
from backends.dramatiq.broker import Options
from core.errors import BrokerConfigError

BACKEND = "backends.dramatiq.DramatiqBackend"
RABBITMQ = "backends.dramatiq.rabbitmq_broker.RabbitmqBroker"
REDIS = "backends.dramatiq.redis_broker.RedisBroker"
MIDDLEWARE = [
    "django_dramatiq.middleware.DbConnectionsMiddleware",
    "backends.dramatiq.middleware.WorkerHooks",
]
#: Connects nowhere. Without the setting django_dramatiq would build its default,
#: which imports Prometheus and fails on Dramatiq 2.
NO_BROKER = {
    "BROKER": "dramatiq.brokers.stub.StubBroker",
    "OPTIONS": {},
    "MIDDLEWARE": [],
}


def dramatiq_broker(brokers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return DRAMATIQ_BROKER for the alias in BROKERS that Dramatiq serves.

    Of several it is "default", or else the first: django_dramatiq knows one broker.
    The others get theirs from `DramatiqBackend`.
    """
    aliases = [alias for alias in brokers if brokers[alias].get("BACKEND") == BACKEND]
    if not aliases:
        return dict(NO_BROKER)
    alias = "default" if "default" in aliases else aliases[0]
    url = brokers[alias].get("URL", "")
    options = _options(alias, brokers[alias].get("OPTIONS") or {})
    return {
        "BROKER": REDIS if parse(alias, url).is_redis else RABBITMQ,
        "OPTIONS": {"alias": alias, "url": url, "options": options},
        "MIDDLEWARE": list(MIDDLEWARE),
    }


def _options(alias: str, options: Mapping[str, Any]) -> Options:
    try:
        return Options(**options)
    except TypeError as error:
        raise BrokerConfigError(alias, "OPTIONS", f"{error}.") from None
