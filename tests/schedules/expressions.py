"""Random expressions, the same for the same seed."""

import random
from collections.abc import Callable

from tests.schedules.oracle import (
    FIELDS,
    HIGHEST,
    LOWEST,
    MONTHS,
    WEEKDAYS,
    Asked,
    Matcher,
)

WHITE = (" ", " ", "  ", "\t", " \t ")


def expressions(seed: int, number: int) -> list[Asked]:
    """Return so many expressions that are allowed and mean some date."""
    chance, found = random.Random(seed), []  # noqa: S311  # repeatable, not secret
    while len(found) < number:
        asked = _one(chance)
        if Matcher(asked).comes():
            found.append(asked)
    return found


def _one(chance: random.Random) -> Asked:
    if chance.random() < 0.02:
        names = ("@hourly", "@daily", "@Midnight", "@weekly", "@monthly", "@YEARLY")
        return Asked(chance.choice(names))
    fields = [_field(chance, field) for field in range(6)]
    if chance.random() < 0.8:
        del fields[0]
    expr = chance.choice(WHITE).join(fields)
    restricted = fields[-3] not in "*?" and fields[-1] not in "*?"
    day_match = chance.choice(("and", "or")) if restricted else None
    dst = chance.choice(("once",) * 6 + ("skip", "twice"))
    return Asked(chance.choice(("", " ")) + expr, day_match, dst, str(chance.random()))


def _field(chance: random.Random, field: int) -> str:
    star = (0.05, 0.2, 0.35, 0.5, 0.7, 0.5)[field]
    if chance.random() < star:
        free = FIELDS[field] in ("day", "weekday") and chance.random() < 0.3
        return "?" if free else "*"
    number = chance.choice((1, 1, 1, 2, 3))
    return ",".join(_item(chance, field) for _ in range(number))


def _item(chance: random.Random, field: int) -> str:
    kinds: list[Callable[[random.Random, int], str]] = [_value] * 5
    kinds += [_range, _range, _stepped_range, _stepped_star, _stepped_value, _hash]
    if FIELDS[field] == "day":
        kinds += [lambda *_: "L", _near, _near]
    if FIELDS[field] == "weekday":
        kinds += [_last, _last, _nth, _nth]
    return chance.choice(kinds)(chance, field)


def _value(chance: random.Random, field: int) -> str:
    names = {"month": MONTHS, "weekday": WEEKDAYS}.get(FIELDS[field])
    if names and chance.random() < 0.4:
        return chance.choice((str.lower, str.title, str.upper))(chance.choice(names))
    if FIELDS[field] == "hour" and chance.random() < 0.6:
        return str(chance.randint(0, 3))  # where the clocks are set
    seven = FIELDS[field] == "weekday"
    return str(chance.randint(LOWEST[field], HIGHEST[field] + seven))


def _step(chance: random.Random, field: int) -> int:
    return chance.randint(1, HIGHEST[field] - LOWEST[field])


def _range(chance: random.Random, field: int) -> str:
    return f"{_value(chance, field)}-{_value(chance, field)}"


def _stepped_range(chance: random.Random, field: int) -> str:
    return f"{_range(chance, field)}/{min(_step(chance, field), _step(chance, field))}"


def _stepped_star(chance: random.Random, field: int) -> str:
    return f"*/{_step(chance, field)}"


def _stepped_value(chance: random.Random, field: int) -> str:
    return f"{_value(chance, field)}/{_step(chance, field)}"


def _hash(chance: random.Random, field: int) -> str:
    return chance.choice(("H", "h"))


def _near(chance: random.Random, field: int) -> str:
    return f"{chance.randint(1, 31)}{chance.choice('Ww')}"


def _last(chance: random.Random, field: int) -> str:
    return f"{_value(chance, field)}{chance.choice('Ll')}"


def _nth(chance: random.Random, field: int) -> str:
    return f"{_value(chance, field)}#{chance.randint(1, 5)}"
