"""settings.BROKERS -> brokers[alias], one Broker per process and alias."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string

from core import middleware
from core.broker.config import DEFAULTS, BrokerConfig
from core.errors import BrokerConfigError, UnknownRun
from core.options import Options
from core.registry import registry
from core.wire.envelope import Envelope

if TYPE_CHECKING:
    from core.broker.broker import Broker
    from core.models import Run


class BrokerHandler:
    """A mapping of aliases that builds each broker at its first use.

    Not Django's BaseConnectionHandler: that makes one object per thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._brokers: dict[str, Broker] = {}

    def __getitem__(self, alias: str) -> "Broker":
        with self._lock:
            if alias not in self._brokers:
                self._brokers[alias] = self._build(alias)
            return self._brokers[alias]

    def forget(self, alias: str) -> None:
        """Build a broker anew at its next use: its settings have changed."""
        with self._lock:
            self._brokers.pop(alias, None)

    def built(self) -> list[str]:
        """Return the aliases that this process has used."""
        with self._lock:
            return list(self._brokers)

    def __iter__(self) -> Iterator[str]:
        return iter(settings.BROKERS)

    def carrier(self, actor_name: str, options: Mapping[str, Any]) -> "Broker":
        """Return the broker that carries an actor's messages with these options."""
        declared = registry.get(actor_name).options
        default = Options().broker
        return self[options.get("broker", declared.get("broker", default))]

    def extra_options(self) -> frozenset[str]:
        """Return the options that the middleware of any alias understands."""
        members = (
            member
            for alias, config in settings.BROKERS.items()
            for member in middleware.build(alias, config.get("MIDDLEWARE", ()))
        )
        return middleware.options_of(members)

    def namespace(self) -> str:
        """Return the namespace of the default alias: the name of this project."""
        first = settings.BROKERS.get("default") or next(iter(settings.BROKERS.values()))
        return str(first.get("NAMESPACE", DEFAULTS["NAMESPACE"]))

    def databases(self) -> dict[str, str]:
        """Return every database that keeps runs, with one alias that uses it."""
        return {
            config.get("DATABASE", DEFAULTS["DATABASE"]): alias
            for alias, config in reversed(settings.BROKERS.items())
        }

    def find(self, run_id: str) -> "Run":
        """Return a run of any alias by its id, or raise `UnknownRun`."""
        for alias in self.databases().values():
            run = self[alias].find(run_id)
            if run is not None:
                return run
        raise UnknownRun(run_id)

    def read(
        self, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Return these fields of the runs that there are; one query a database."""
        rows: dict[str, dict[str, Any]] = {}
        for alias in self.databases().values():
            rows |= self[alias].read(ids, fields)
        return rows

    def _build(self, alias: str) -> "Broker":
        given = getattr(settings, "BROKERS", None)
        if not isinstance(given, Mapping):
            problem = "BROKERS is missing: `manage.py check` shows what to write"
            raise BrokerConfigError(alias, "", problem)
        if alias not in given:
            known = ", ".join(sorted(given))
            problem = f"there is no such alias; known: {known}"
            raise BrokerConfigError(alias, "", problem)
        # By name: it reaches models, and a sender may be imported before the apps are
        # loaded.
        kind: type[Broker] = import_string("core.broker.broker.Broker")
        return kind(BrokerConfig.read(alias, given[alias]), self._beside)

    def _beside(self, broker: "Broker", message: Envelope) -> "Broker":
        """Return the broker of what follows a run of `broker`, in its transaction."""
        if message.actor_name not in registry:
            return broker  # a callback of another release
        own = self.carrier(message.actor_name, message.options)
        # Another database has another transaction.
        return own if own.database == broker.database else broker


brokers = BrokerHandler()
