"""One rule: what somebody wrote in ALERTS or in the admin, checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from core.alerts.kinds import COMMON, KINDS
from core.errors import AlertConfigError
from core.models import AlertRule
from core.options import MAX_NAME

FOUR_HOURS = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Rule:
    """When to raise an alert, and whom to tell."""

    name: str
    when: str
    above: float
    within: timedelta
    at_least: int
    #: Only of these; "": of all.
    broker: str = ""
    queue: str = ""
    actor: str = ""
    schedule: str = ""
    #: `for`: how long it must last; and how long it must be well to be over.
    lasting: timedelta = timedelta()
    #: Time between two notices while it lasts; None: it is told once.
    repeat: timedelta | None = FOUR_HOURS
    #: It is told when it is over.
    resolved: bool = True
    #: Names of receivers.
    to: tuple[str, ...] = ()
    origin: str = "settings"

    def names(self, **subject: str) -> bool:
        """Return True if the rule is about this broker, queue or actor."""
        wanted = {name: getattr(self, name) for name in subject}
        return all(not wanted[name] or wanted[name] == subject[name] for name in wanted)


def rule_of_settings(name: str, given: Any, receivers: tuple[str, ...]) -> Rule:
    """Read ALERTS["RULES"][name]; raise `AlertConfigError`."""
    where = f"ALERTS['RULES'][{name!r}]"
    if not isinstance(given, Mapping):
        raise AlertConfigError(where, f"it is {given!r}; write {{'when': ...}}")
    return _rule(where, name, given, receivers, "settings")


def rule_of_row(row: AlertRule, receivers: tuple[str, ...]) -> Rule:
    """Read a rule of the admin; raise `AlertConfigError`."""
    keys = ("above", "within", "at_least", "broker", "queue", "actor", "schedule")
    given = {key: getattr(row, key) for key in keys}
    said = {key: value for key, value in given.items() if value not in (None, "")}
    said |= {"when": row.when, "for": row.lasting, "repeat": row.repeat}
    said |= {"resolved": row.resolved, "to": row.to or list(receivers)}
    return _rule(f"Alert rule {row.name!r}", row.name, said, receivers, "admin")


def _rule(
    where: str,
    name: str,
    given: Mapping[str, Any],
    receivers: tuple[str, ...],
    origin: str,
) -> Rule:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise AlertConfigError(where, f"a name has 1 to {MAX_NAME} characters")
    when = given.get("when")
    if when not in KINDS:
        raise AlertConfigError(where, f"when is {when!r}; {_one_of(when, KINDS)}")
    kind = KINDS[str(when)]
    values: dict[str, Any] = {
        "above": kind.above,
        "within": kind.within,
        "at_least": kind.at_least,
        "to": receivers,
    }
    values |= _read(where, str(when), given)
    rule = Rule(name=name, origin=origin, **values)
    _check(where, rule, receivers)
    return rule


def _read(where: str, when: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the keys that are given, each checked."""
    known = (*COMMON, *KINDS[when].keys)
    values = {}
    for key, value in given.items():
        if key not in known:
            problem = f"{key!r} goes not with {when!r}; {_one_of(key, known)}"
            raise AlertConfigError(where, problem)
        read, expected = _READERS[key]
        try:
            values["lasting" if key == "for" else key] = read(value)
        except ValueError:
            problem = f"{key} is {value!r}; it must be {expected}"
            raise AlertConfigError(where, problem) from None
    return values


def _check(where: str, rule: Rule, receivers: tuple[str, ...]) -> None:
    if rule.broker and rule.broker not in settings.BROKERS:
        problem = f"broker is {rule.broker!r}; {_one_of(rule.broker, settings.BROKERS)}"
        raise AlertConfigError(where, problem)
    for name in rule.to:
        if name not in receivers:
            problem = f"to has {name!r}, which is not in ALERTS['RECEIVERS']"
            raise AlertConfigError(where, f"{problem}; {_one_of(name, receivers)}")
    if not rule.to:
        problem = "nobody is told; name a receiver in ALERTS['RECEIVERS']"
        raise AlertConfigError(where, problem)


def _one_of(given: object, known: Any) -> str:
    close = get_close_matches(str(given), list(known), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}it must be one of {', '.join(known) or '(there are none)'}"


def _number(value: Any) -> float:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(value)
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _duration(value: Any) -> timedelta:
    try:
        return timedelta(seconds=_number(value))
    except OverflowError:
        raise ValueError(value) from None


def _period(value: Any) -> timedelta:
    if not _duration(value):
        raise ValueError(value)
    return _duration(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(value)
    return tuple(map(_text, value))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


_A_NAME = (_text, "a name, or '' for all")
_READERS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "when": (_text, "a word"),
    "above": (_number, "a number of 0 or more, or a timedelta"),
    "within": (_period, "a timedelta, or seconds, over 0"),
    "at_least": (_whole, "a whole number of 0 or more"),
    "broker": _A_NAME,
    "queue": _A_NAME,
    "actor": _A_NAME,
    "schedule": _A_NAME,
    "for": (_duration, "a timedelta, or seconds, of 0 or more"),
    "repeat": (
        lambda value: None if value is None else _period(value),
        "a timedelta, or seconds, over 0; or None for never",
    ),
    "resolved": (_flag, "True or False"),
    "to": (_names, "a list of names in ALERTS['RECEIVERS']"),
}
