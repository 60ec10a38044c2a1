"""Checking BROKERS[alias]["OPTIONS"] for both engines."""

from core.errors import BrokerConfigError


def check_options(
    alias: str, publish_timeout: float, dead_after: float, heartbeat: int
) -> None:
    """Raise `BrokerConfigError` unless each is a number of seconds above 0."""
    _check(alias, "publish_timeout", publish_timeout, "seconds", (int, float))
    _check(alias, "dead_after", dead_after, "seconds", (int, float))
    _check(alias, "heartbeat", heartbeat, "whole seconds", (int,))


def _check(
    alias: str, name: str, value: float, what: str, kinds: tuple[type, ...]
) -> None:
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or not value > 0:  # nor NaN
        problem = f"{name} is {value!r}; it must be {what} above 0"
        raise BrokerConfigError(alias, "OPTIONS", problem)
