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
    "celery_valkey": "valkey",
    "celery_rabbitmq": "rabbitmq",
    "dramatiq_valkey": "valkey",
    "dramatiq_rabbitmq": "rabbitmq",
    "toy": None,
}
#: What an operator may choose; the toy only shows what a backend must do.
SHIPPED = tuple(alias for alias in COMBINATIONS if alias != "toy")
#: How a skip begins that is no hole.
CANNOT = "says it cannot: "


def chosen() -> Mapping[str, str | None]:
    """Return the combinations of this run: all, or what `--backend` names alone."""
    return {YOURS: None} if "TEST_BACKEND" in os.environ else COMBINATIONS


def lacking(alias: str, needs: Iterable[str]) -> list[str]:
    """Return which needs of a promise the combination says it cannot meet."""
    return [need for need in needs if not _can(alias, need)]


def _can(alias: str, need: str) -> bool:
    """Raises LookupError for a need that is no flag, which no combination has."""
    if need == "server":
        return chosen()[alias] is not None
    flag = f"supports_{need}"
    if not hasattr(BaseBackend, flag):
        raise LookupError(f"needs({need!r}): BaseBackend has no flag {flag}.")
    return bool(getattr(import_string(settings.BROKERS[alias]["BACKEND"]), flag))
