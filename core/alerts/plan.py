"""The setting ALERTS, and the rules of the admin: who is told of what."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.alerts.receivers import Receiver, networks, receiver
from core.alerts.rules import Rule, rule_of_row, rule_of_settings
from core.alerts.standard import alerts
from core.errors import AlertConfigError, UnknownOption
from core.models import AlertRule

logger = logging.getLogger(__name__)

#: The keys of ALERTS.
KEYS = ("RULES", "RECEIVERS", "ALLOW_NETWORKS")


@dataclass(frozen=True, slots=True)
class Plan:
    """The part of the setting that can be used, and what is wrong with the rest."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    errors: tuple[AlertConfigError, ...] = ()


def declared() -> Plan:
    """Read ALERTS; each mistake is one of `errors`, and spoils nothing else."""
    given = alerts()
    if not isinstance(given, Mapping):
        return Plan(errors=(AlertConfigError("ALERTS", "it must be a dict"),))
    errors = [
        AlertConfigError("ALERTS", str(UnknownOption(str(key), KEYS)).rstrip("."))
        for key in given
        if key not in KEYS
    ]
    receivers = dict(_receivers(given, errors))
    names = tuple(_mapping(given, "RECEIVERS", []))
    rules = {}
    for name, one in _mapping(given, "RULES", errors).items():
        try:
            rules[name] = rule_of_settings(name, one, names)
        except AlertConfigError as error:
            errors.append(error)
    return Plan(rules, receivers, tuple(errors))


def _receivers(
    given: Mapping[str, Any], errors: list[AlertConfigError]
) -> Iterator[tuple[str, Receiver]]:
    try:
        allowed = networks(given.get("ALLOW_NETWORKS", ()))
    except AlertConfigError as error:
        errors.append(error)
        return
    for name, one in _mapping(given, "RECEIVERS", errors).items():
        try:
            yield name, receiver(name, one, allowed)
        except AlertConfigError as error:
            errors.append(error)


def _mapping(
    given: Mapping[str, Any], key: str, errors: list[AlertConfigError]
) -> Mapping[str, Any]:
    found = given.get(key, {})
    if isinstance(found, Mapping):
        return found
    errors.append(AlertConfigError(f"ALERTS[{key!r}]", f"it is {found!r}; not a dict"))
    return {}


def check_row(row: AlertRule) -> None:
    """Refuse a rule of the admin that cannot be; raise `AlertConfigError`."""
    said = declared()
    if row.name in said.rules:
        problem = "ALERTS['RULES'] has a rule of this name, which would hold"
        raise AlertConfigError(f"Alert rule {row.name!r}", problem)
    rule_of_row(row, tuple(said.receivers))


def plan(database: str) -> Plan:
    """Return the rules of the settings and those of a database's own rows.

    Of two with one name that of the settings holds. A row that cannot be is left out.
    """
    said = declared()
    rules, errors = dict(said.rules), list(said.errors)
    for row in AlertRule.objects.using(database).filter(enabled=True).order_by("name"):
        try:
            rules.setdefault(row.name, rule_of_row(row, tuple(said.receivers)))
        except AlertConfigError as error:
            errors.append(error)
    return Plan(rules, said.receivers, tuple(errors))
