"""Any string is a cron expression or is refused as one: nothing else comes out.

Always the same strings, but in `make soak` others each time.
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime

from core import InvalidTrigger, crontab
from tests.schedules.expressions import expressions

NUMBER = 20_000
TAKEN = "taken"
SEED = int(os.environ.get("SOAK", "0"))
START = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
PIECES = (
    *("*", "?", "L", "W", "H", "#", "/", "-", ",", " ", "  ", "\t", "\n", "@", "*/"),
    *("0", "1", "5", "07", "31", "59", "60", "99", "123456789012345678901234567890"),
    *("MON", "fri", "JAN", "dec", "1-5", "22-2", "5L", "15W", "MON#2", "@daily"),
    *("x", "\0", "\N{ARABIC-INDIC DIGIT THREE}", "\N{SNOWMAN}", "-1", "1.5", "+1"),
)


def random_strings(chance: random.Random) -> list[str]:
    """Pieces in any order, fields of pieces, and expressions with a change or two."""
    good = chance.choices([one.expr for one in expressions(SEED, 50)], k=NUMBER // 3)
    return [
        *("".join(some(chance, 12)) for _ in range(NUMBER // 3)),
        *(" ".join(map("".join, fields(chance))) for _ in range(NUMBER // 3)),
        *(changed(chance, expr) for expr in good),
    ]


def some(chance: random.Random, most: int) -> list[str]:
    return chance.choices(PIECES, k=chance.randint(0, most))


def fields(chance: random.Random) -> list[list[str]]:
    return [some(chance, 2) or ["*"] for _ in range(chance.choice((5, 5, 5, 6, 4)))]


def changed(chance: random.Random, expr: str) -> str:
    at = chance.randint(0, len(expr))
    return expr[:at] + chance.choice(PIECES) + expr[at + chance.randint(0, 2) :]


def problem(text: str, day_match: str | None) -> str:
    """Return what is wrong with what becomes of an expression; "" if it was refused."""
    try:
        trigger = crontab(text, day_match=day_match)
        slot = trigger.next(START, "seed")
    except InvalidTrigger as error:
        is_well_told = error.written == text and 0 <= error.position <= len(text) + 1
        return "" if is_well_told else f"it is refused by {error}"
    except Exception as error:  # whatever it is, it must not be
        return repr(error)
    again = crontab(text, day_match=day_match)
    is_good = slot is not None and slot > START and again == trigger
    return TAKEN if is_good else f"its slot is {slot}"


def test_any_string_is_an_expression_or_is_refused_as_one() -> None:
    chance = random.Random(SEED)  # noqa: S311  # repeatable, not secret
    found = Counter()
    for text in random_strings(chance):
        day_match = chance.choice(("and", "or", None))
        what = problem(text, day_match)
        assert what in ("", TAKEN), f"{text!r}, {day_match}, seed {SEED}: {what}"
        found[what] += 1
    assert min(found[""], found[TAKEN]) > NUMBER / 50, f"{found}, seed {SEED}"
