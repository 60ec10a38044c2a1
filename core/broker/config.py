"""BROKERS[alias]: what may be given, and what holds when it is not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from django.conf import settings as django_settings

from core.errors import BrokerConfigError, CoreError
from core.options import Options
from core.options.retention import Retention
from core.options.timing import Timing

#: Every key.
DEFAULTS: dict[str, Any] = {
    "BACKEND": None,
    "URL": "",
    "DATABASE": "default",
    "NAMESPACE": "switchyard",
    "OPTIONS": {},
    "ACTOR_OPTIONS": {},
    "MIDDLEWARE": (),
    "ROUTES": {},
    "EVENTS": "",
    "TIMING": {},
    "RETENTION": {},
    "MAX_PAYLOAD": 1024 * 1024,
}
#: Said where BACKEND leads nowhere.
BACKENDS = (
    "Write 'backends.celery.CeleryBackend', 'backends.dramatiq.DramatiqBackend',"
    " 'backends.database.DatabaseBackend', or the path of a class of your own."
)
_NAMESPACE = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """BROKERS[alias], checked and completed; a field for each key."""

    alias: str
    backend: str
    url: str
    database: str
    namespace: str
    options: Mapping[str, Any]
    actor_options: Mapping[str, Any]
    middleware: Sequence[str]
    routes: Mapping[str, Any]
    events: str
    timing: Timing
    retention: Retention
    max_payload: int

    @classmethod
    def read(cls, alias: str, given: Mapping[str, Any]) -> Self:
        """Check what BROKERS[alias] says; raise `BrokerConfigError`."""
        _check_names(alias, given)
        values = {name.lower(): value for name, value in {**DEFAULTS, **given}.items()}
        _check_values(alias, values)
        timing = Timing.read(alias, values.pop("timing"))
        retention = Retention.read(alias, values.pop("retention"))
        return cls(alias=alias, timing=timing, retention=retention, **values)

    def check_actor_options(self, extra: frozenset[str]) -> dict[str, Any]:
        """Return ACTOR_OPTIONS, checked; `extra` is what its middleware understands."""
        try:
            checked = Options.check("actor", self.actor_options, extra)
            Options.resolve(checked, extra=extra).check_conflicts()
        except CoreError as error:
            problem = str(error)
            raise BrokerConfigError(self.alias, "ACTOR_OPTIONS", problem) from error
        return checked


def _check_names(alias: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            upper = str(name).upper()
            close = get_close_matches(upper, DEFAULTS, n=1)
            close = close or [key for key in DEFAULTS if key in upper]  # BROKER_URL
            hint = f"did you mean {close[0]}? " if close else ""
            problem = f"is not a key; {hint}known are {known}"
            raise BrokerConfigError(alias, name, problem)


def _check_values(alias: str, values: Mapping[str, Any]) -> None:
    database, namespace = values["database"], values["namespace"]
    if database not in django_settings.DATABASES:
        problem = f"{database!r} is not in DATABASES"
        raise BrokerConfigError(alias, "DATABASE", problem)
    if not values["backend"]:
        raise BrokerConfigError(alias, "BACKEND", f"is missing. {BACKENDS}")
    if not _NAMESPACE.fullmatch(str(namespace)):
        problem = f"it is {namespace!r}; letters, digits, '_', '-' and '.' go"
        raise BrokerConfigError(alias, "NAMESPACE", problem)
