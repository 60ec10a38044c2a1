"""settings.BROKERS -> brokers[alias], one Broker per process and alias."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.module_loading import import_string

from core.errors import BrokerConfigError, UnknownRun

if TYPE_CHECKING:
    from core.broker import Broker
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

    def __iter__(self) -> Iterator[str]:
        return iter(settings.BROKERS)

    def databases(self) -> dict[str, str]:
        """Return every database that keeps runs, with one alias that uses it."""
        return {
            config.get("DATABASE", "default"): alias
            for alias, config in reversed(settings.BROKERS.items())
        }

    def find(self, run_id: str) -> "Run":
        """Return a run of any alias by its id, or raise `UnknownRun`."""
        for alias in self.databases().values():
            run = self[alias].find(run_id)
            if run is not None:
                return run
        raise UnknownRun(run_id)

    def _build(self, alias: str) -> "Broker":
        if alias not in settings.BROKERS:
            known = ", ".join(sorted(settings.BROKERS))
            raise BrokerConfigError(alias, "alias", f"is not in BROKERS ({known})")
        # By name: core.broker reaches models, and a sender may be imported before
        # the apps are loaded.
        broker: Broker = import_string("core.broker.Broker")(
            alias, settings.BROKERS[alias]
        )
        return broker


brokers = BrokerHandler()
