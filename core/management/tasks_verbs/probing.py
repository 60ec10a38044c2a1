"""manage.py tasks health: for probes. It ends with 0 if all is well, with 1 if not."""

from argparse import ArgumentParser

from core import monitoring
from core.management.tasks_verbs.verb import Answer, Options, Verb, known


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("--broker", default="default", help="an alias in BROKERS")
    parser.add_argument(
        "--liveness",
        action="store_true",
        help="is this host's worker alive? One query, no broker. Without it: are"
        " database, migrations and broker there?",
    )


def _health(options: Options) -> Answer:
    probe = monitoring.liveness if options["liveness"] else monitoring.readiness
    health = probe(known(options))
    lines = [
        f"{'ok  ' if check.ok else 'BAD '} {check.name}"
        + (f": {check.detail}" if check.detail else "")
        for check in health.checks
    ]
    return Answer(health.asdict(), "\n".join(lines), health.ok)


VERBS = (Verb("health", "probes: exit code 0 or 1", _health, _declare),)
