"""Schedules as code and settings declare them; no rows here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings

from core.errors import (
    CoreError,
    InvalidOption,
    ScheduleConfigError,
    UnknownOption,
)
from core.options import MAX_NAME
from core.registry import Declared, registry
from core.schedulable import check
from core.triggers import Scheduled, scheduled

#: The keys of an entry in SCHEDULES.
KEYS = ("actor", *(field.name for field in fields(Scheduled) if field.name != "name"))
_EXAMPLE = "write {'actor': 'shop.tasks.tidy', 'trigger': every(hours=1)}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One schedule as somebody wrote it."""

    name: str
    actor_name: str
    origin: str
    said: Scheduled

    def fields(self) -> dict[str, Any]:
        """Return it as the columns of a row."""
        said = self.said
        return {
            "name": self.name,
            "actor_name": self.actor_name,
            "origin": self.origin,
            "args": list(said.args),
            "kwargs": dict(said.kwargs),
            "options": dict(said.options),
            "trigger": said.trigger.asdict(),
            "start_at": said.start,
            "end_at": said.end,
            "excluded": sorted(day.isoformat() for day in said.excluded),
            "max_fires": said.max_fires,
            "missed": said.missed,
            "missed_max": said.missed_max,
            "window": said.window,
            "overlap": said.overlap,
            "jitter": said.jitter,
            "pause_after": said.pause_after,
        }


def declared() -> dict[str, Declaration]:
    """Return the schedules that are declared, by name.

    Raises `CoreError`, naming the setting or the actor: two have the same name, an
    actor is not there, arguments do not fit.
    """
    found: dict[str, Declaration] = {}
    for one in [*_of_actors(), *_of_settings()]:
        if one.name in found:
            expected = f"another name: {found[one.name].actor_name} has one so named"
            raise InvalidOption("schedule", one.name, expected)
        found[one.name] = one
    return found


def _of_actors() -> Iterator[Declaration]:
    for actor in registry:
        said: tuple[Scheduled, ...] = actor.options.get("schedule", ())
        for one in said:
            name = one.name or actor.actor_name
            if not one.name and len(said) > 1:
                name = f"{actor.actor_name}: {one.trigger}"
            yield _declaration(name, actor, one, "code")


def _of_settings() -> Iterator[Declaration]:
    given: Mapping[str, Mapping[str, Any]] = getattr(settings, "SCHEDULES", {})
    for name, entry in given.items():
        try:
            yield _of_setting(name, entry)
        except (CoreError, TypeError, ValueError) as error:
            raise ScheduleConfigError(name, str(error)) from None


def _of_setting(name: str, entry: Mapping[str, Any]) -> Declaration:
    # Without the values: there may be a secret among them.
    if not isinstance(entry, Mapping):
        raise TypeError(f"it is a {type(entry).__name__}; {_EXAMPLE}")
    given = dict(entry)
    for key in given:
        if key not in KEYS:
            raise UnknownOption(str(key), KEYS)
    for key in ("actor", "trigger"):
        if key not in given:
            raise ValueError(f"it has no {key!r}; {_EXAMPLE}")
    actor = given.pop("actor")
    actor = registry.get(getattr(actor, "actor_name", actor))
    trigger = given.pop("trigger")
    if isinstance(trigger, Scheduled):
        expected = "a bare trigger, with its options beside it"
        raise InvalidOption("trigger", trigger, expected)
    return _declaration(name, actor, scheduled(trigger, **given), "settings")


def _declaration(
    name: str, actor: Declared, said: Scheduled, origin: str
) -> Declaration:
    if len(name) > MAX_NAME:
        raise InvalidOption("schedule", name, f"named with at most {MAX_NAME} letters")
    check(actor, said)
    return Declaration(name, actor.actor_name, origin, said)
