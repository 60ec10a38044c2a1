"""The options that select runs."""

from argparse import ArgumentParser

from core.management.tasks_verbs.verb import Options
from core.models import State
from core.monitoring import FILTERS


def add_filters(parser: ArgumentParser) -> None:
    """Take every filter of `core.monitoring`."""
    parser.add_argument("--state", choices=State.values, help="runs in this state")
    parser.add_argument(
        "--actor", dest="actor_name", metavar="NAME", help="runs of this actor"
    )
    parser.add_argument(
        "--queue", dest="queue_name", metavar="NAME", help="runs in this queue"
    )
    parser.add_argument("--broker", help="an alias in BROKERS; default: all")
    parser.add_argument("--worker", help="runs whose last worker it was")
    parser.add_argument(
        "--since", help="created at this time or later: 2026-03-01T12:00"
    )
    parser.add_argument("--until", help="created before this time")
    parser.add_argument(
        "--search", help="text in the error; or at least 8 digits of an id"
    )


def given(options: Options) -> dict[str, str]:
    """Return the filters that were given."""
    return {name: options[name] for name in FILTERS if options[name] is not None}
