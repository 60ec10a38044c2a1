"""The combinations of engine and broker, and what each says that it cannot do.

Knows no model, so that it can be asked before Django is up.
"""

import os
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils.module_loading import import_string

from core.backend import BaseBackend
from tests.services.environment import YOURS

#: Alias in BROKERS -> the fixture of its broker's server, which a test may stop.
COMBINATIONS: Mapping[str, str | None] = {
    "inprocess": None,
    "database": None,
    "celery_valkey": "valkey",
    "celery_rabbitmq": "rabbitmq",
    "dramatiq_valkey": "valkey",
    "dramatiq_rabbitmq": "rabbitmq",
}
#: How a skip begins that is no hole.
CANNOT = "says it cannot: "


def chosen() -> Mapping[str, str | None]:
    """Return the combinations of this run: all, or what `--backend` names alone."""
    return {YOURS: None} if "TEST_BACKEND" in os.environ else COMBINATIONS


def flags() -> list[str]:
    """Return all that a promise may need: what BaseBackend has a flag for."""
    names = (name for name in dir(BaseBackend) if name.startswith("supports_"))
    return [*(name.removeprefix("supports_") for name in names), "server"]


def lacking(alias: str, needs: Iterable[str]) -> list[str]:
    """Return which needs of a promise the combination says it cannot meet.

    Raises LookupError for a need that is no flag.
    """
    return [need for need in needs if not _can(alias, need)]


def _can(alias: str, need: str) -> bool:
    if need not in flags():
        raise LookupError(f"needs({need!r}): there are {', '.join(flags())}.")
    if need == "server":
        return COMBINATIONS.get(alias) is not None
    backend = import_string(settings.BROKERS[alias]["BACKEND"])
    return bool(getattr(backend, f"supports_{need}"))
