"""BROKERS[alias]: what may be given, and what holds when it is not."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings as django_settings

from core.errors import BrokerConfigError, CoreError
from core.options import Options

#: Every key.
DEFAULTS: Mapping[str, Any] = {
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


def read(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what BROKERS[alias] says, completed; raise `BrokerConfigError`."""
    for name in given:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            close = get_close_matches(str(name).upper(), DEFAULTS, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            problem = f"is not a key; {hint}known are {known}"
            raise BrokerConfigError(alias, name, problem)
    config = {**DEFAULTS, **given}
    if config["DATABASE"] not in django_settings.DATABASES:
        raise BrokerConfigError(
            alias, "DATABASE", f"{config['DATABASE']!r} is not in DATABASES"
        )
    if not config["BACKEND"]:
        raise BrokerConfigError(alias, "BACKEND", f"is missing. {BACKENDS}")
    if not _NAMESPACE.fullmatch(str(config["NAMESPACE"])):
        problem = f"it is {config['NAMESPACE']!r}; letters, digits, '_', '-' and '.' go"
        raise BrokerConfigError(alias, "NAMESPACE", problem)
    return config


def actor_options(
    alias: str, given: Mapping[str, Any], extra: frozenset[str]
) -> dict[str, Any]:
    """Return ACTOR_OPTIONS, checked; `extra` is what its middleware understands."""
    try:
        checked = Options.check("actor", given, extra)
        Options.resolve(checked, extra=extra).check_conflicts()
    except CoreError as error:
        raise BrokerConfigError(alias, "ACTOR_OPTIONS", str(error)) from error
    return checked
