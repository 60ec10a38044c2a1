"""manage.py tasks top: everything on one page; live in a terminal."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress

from core.management.tasks_verbs.verb import Answer, Options, Verb, add_broker, known
from core.management.top import text
from core.management.top.view import look

#: Seconds between two looks: the fewest and the most.
SHORTEST, LONGEST = 0.5, 3_600
#: Said where textual is missing.
LIVE = "To have this page live: pip install 'switchyard[top]'"


def _declare(parser: ArgumentParser) -> None:
    add_broker(parser)
    parser.add_argument(
        "--every", type=_seconds, default=2.0, help="seconds between looks"
    )


def _seconds(given: str) -> float:
    with suppress(ValueError):
        if SHORTEST <= float(given) <= LONGEST:
            return float(given)
    raise ArgumentTypeError(f"{given!r} must be {SHORTEST} to {LONGEST} seconds")


def _top(options: Options) -> Answer:
    broker = known(options)
    if options["json"] or not sys.stdout.isatty():
        view = look(broker)
        return Answer(view.asdict(), text.page(view))
    try:
        from core.management.top.app import Top  # noqa: PLC0415  # an extra
    except ImportError:
        return Answer(None, f"{text.page(look(broker))}\n\n{LIVE}")
    Top(broker, options["every"]).run()
    return Answer(None, "")


VERBS = (Verb("top", "everything on one page, live in a terminal", _top, _declare),)
