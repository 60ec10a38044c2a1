"""The problems of this moment, without waiting for the clock."""

from functools import cache

from core.alerts.measures import Finding, Look, find
from core.alerts.plan import plan
from core.alerts.rules import Rule, rule_of_settings
from core.alerts.standard import ALERTS
from core.broker.handler import brokers

#: Rules that are always evaluated besides the configured ones.
RULES = {**ALERTS["RULES"], "missed slot": {"when": "missed_slot"}}


@cache
def _always() -> dict[str, Rule]:
    return {
        name: rule_of_settings(name, given, ("nobody",))
        for name, given in RULES.items()
    }


def wrong(broker: str = "") -> list[Finding]:
    """Return what the rules find in all aliases, or in one; each thing once.

    However short it has lasted, and whether or not somebody is told of it.
    """
    found: dict[str, Finding] = {}
    for database in brokers.databases():
        look = Look(database)
        for rule in [*_always().values(), *plan(database).rules.values()]:
            found |= {one.says: one for one in find(rule, look)}
    return [one for one in found.values() if not broker or one.broker in ("", broker)]
