"""The options that say which runs are meant."""

from argparse import ArgumentParser

from core.management.tasks_verbs.verb import Options
from core.models import State
from core.monitoring import FILTERS


def add_filters(parser: ArgumentParser) -> None:
    """Take every filter of `core.monitoring`."""
    parser.add_argument("--state", choices=State.values, help="that they are in")
    parser.add_argument(
        "--actor", dest="actor_name", metavar="NAME", help="whose they are"
    )
    parser.add_argument(
        "--queue", dest="queue_name", metavar="NAME", help="that they are in"
    )
    parser.add_argument("--broker", help="an alias in BROKERS; else all")
    parser.add_argument("--worker", help="that had it last")
    parser.add_argument("--since", help="created then or later: 2026-03-01T12:00")
    parser.add_argument("--until", help="created before")
    parser.add_argument(
        "--search", help="in the error; or the first 8 digits of an id, or more"
    )


def given(options: Options) -> dict[str, str]:
    """Return the filters that were given."""
    return {name: options[name] for name in FILTERS if options[name] is not None}
