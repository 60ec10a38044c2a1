"""BROKERS[alias]: what may be given, and what holds when it is not."""

from collections.abc import Mapping
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


def read(alias: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what BROKERS[alias] says, completed; raise `BrokerConfigError`."""
    for name in given:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise BrokerConfigError(alias, name, f"is not a key; known are {known}")
    config = {**DEFAULTS, **given}
    if config["DATABASE"] not in django_settings.DATABASES:
        raise BrokerConfigError(
            alias, "DATABASE", f"{config['DATABASE']!r} is not in DATABASES"
        )
    if not config["BACKEND"]:
        raise BrokerConfigError(alias, "BACKEND", "is missing")
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
