"""What both engines ask of their BROKERS[alias]["OPTIONS"]."""

from core.errors import BrokerConfigError


def check_seconds(alias: str, *, whole: bool = False, **options: float) -> None:
    """Raise `BrokerConfigError` unless each is a number of seconds above 0."""
    kinds = int if whole else (int, float)
    for name, seconds in options.items():
        is_number = isinstance(seconds, kinds) and not isinstance(seconds, bool)
        if not is_number or not seconds > 0:
            what = "whole seconds" if whole else "seconds"
            problem = f"{name} is {seconds!r}; it must be {what} above 0"
            raise BrokerConfigError(alias, "OPTIONS", problem)
