"""From JSON back to a trigger."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.errors import InvalidTrigger
from core.triggers.cron import Crontab
from core.triggers.intervals import Every
from core.triggers.moments import At
from core.triggers.sun import Solar
from core.triggers.trigger import Trigger

KINDS: Mapping[str, Callable[..., Trigger]] = {
    kind.kind: kind for kind in (Crontab, Every, At, Solar)
}
MOMENTS = ("anchor", "when", "deadline")


def read(given: Mapping[str, Any]) -> Trigger:
    """Return the trigger whose `asdict` this is; raise `InvalidTrigger`."""
    fields = dict(given) if isinstance(given, Mapping) else {}
    kind = fields.pop("kind", None)
    if kind not in KINDS:
        raise InvalidTrigger(str(given), f"its kind must be one of {', '.join(KINDS)}")
    try:
        for name in fields.keys() & set(MOMENTS):
            fields[name] = datetime.fromisoformat(fields[name])
        return KINDS[kind](**fields)
    except (TypeError, ValueError) as error:
        if isinstance(error, InvalidTrigger):
            raise
        raise InvalidTrigger(str(dict(given)), str(error)) from None
