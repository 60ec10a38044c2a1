"""Numbers of things, as a reader expects them."""

from django.template.defaultfilters import pluralize


def counted(number: int, noun: str, verb: str = "") -> str:
    """Return "1 run" or "2 runs"; with a verb, "1 run waits" or "2 runs wait"."""
    does = f" {verb}{pluralize(number, 's,')}" if verb else ""
    return f"{number} {noun}{pluralize(number)}{does}"
