"""A cron expression in English."""

from cron_descriptor import (
    CasingTypeEnum,
    ExpressionDescriptor,
    FormatError,
    Options,
)

from core.triggers.fields import FIELDS, NICKNAMES, Field

BOTH = {"and": " (both must fit)", "or": " (either is enough)"}


def describe(expr: str, day_match: str | None, seed: str) -> str:
    """Return what an expression means, as "At 02:30, only on Monday".

    `seed` is the name that H is the hash of; without one, H cannot be told.
    """
    texts = NICKNAMES.get(expr.strip().lower(), expr).upper().split()
    fields = FIELDS if len(texts) == 6 else FIELDS[1:]
    known = [_hashed(*pair, seed) for pair in zip(texts, fields, strict=True)]
    options = Options(
        casing_type=CasingTypeEnum.Sentence,
        use_24hour_time_format=True,
        day_of_week_start_index_zero=True,
        locale_code="en_US",
    )
    try:
        words = ExpressionDescriptor(" ".join(known), options).get_description()
    except (FormatError, ValueError):
        return " ".join(texts)
    day, weekday = known[-3], known[-1]
    restricted = day not in "*?" and weekday not in "*?"
    return f"{words}{BOTH.get(day_match or '', '') if restricted else ''}"


def _hashed(text: str, field: Field, seed: str) -> str:
    if not seed:
        return text
    number = str(field.hashed(seed))
    return ",".join(number if item == "H" else item for item in text.split(","))
