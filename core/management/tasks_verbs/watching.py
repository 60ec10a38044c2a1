"""manage.py tasks actors|queues|workers|brokers|errors|stats: how it goes."""

from argparse import ArgumentParser
from collections.abc import Sequence

from core import monitoring
from core.management.tasks_verbs import columns
from core.management.tasks_verbs.looking import in_hand
from core.management.tasks_verbs.verb import (
    Answer,
    Options,
    Verb,
    add_broker,
    add_period,
    known,
    positive,
    table,
)
from core.monitoring import Snapshot
from core.monitoring.figures import Figures
from core.monitoring.words import seconds

_FIGURES = ("runs", "ok", "dead", "cancelled", "failures", "waiting", "running")


def _answer(found: Sequence[Snapshot], text: str) -> Answer:
    return Answer([one.asdict() for one in found], text)


def _figures(of: Figures) -> list[object]:
    waiting = f"{seconds(of.waiting_p50)}, {seconds(of.waiting_p95)}"
    running = f"{seconds(of.running_p50)}, {seconds(of.running_p95)}"
    counts = [of.runs, of.succeeded, of.dead, of.cancelled, of.failures]
    return [*counts, waiting, running]


def _declare_actors(parser: ArgumentParser) -> None:
    add_broker(parser)
    add_period(parser, "1h")


def _actors(options: Options) -> Answer:
    found = monitoring.actors(options["period"], known(options))
    rows = [[one.name, one.broker, one.queue, *_figures(one)] for one in found]
    note = "\nwaiting and running: p50, p95"
    return _answer(found, table(("actor", "broker", "queue", *_FIGURES), rows) + note)


def _queues(options: Options) -> Answer:
    found = monitoring.queues(known(options))
    return _answer(found, table(columns.QUEUES, columns.queue_rows(found)))


def _workers(options: Options) -> Answer:
    found = monitoring.workers(known(options))
    lines = [in_hand(run) for one in found for run in one.running]
    told = table(columns.WORKERS, columns.worker_rows(found))
    return _answer(found, "\n".join([told, *lines]))


def _brokers(options: Options) -> Answer:
    found = monitoring.brokers(known(options))
    return _answer(found, table(columns.BROKERS, columns.broker_rows(found)))


def _declare_errors(parser: ArgumentParser) -> None:
    add_period(parser, "1d")
    parser.add_argument("--limit", type=positive, default=50)


def _errors(options: Options) -> Answer:
    found = monitoring.errors(options["period"], options["limit"])
    return _answer(found, table(columns.ERRORS, columns.error_rows(found)))


def _declare_stats(parser: ArgumentParser) -> None:
    _declare_actors(parser)
    parser.add_argument("--queue", default="")
    parser.add_argument("--actor", default="")


def _stats(options: Options) -> Answer:
    found = monitoring.stats(
        options["period"],
        broker=known(options),
        queue=options["queue"],
        actor=options["actor"],
    )
    total = table(_FIGURES, [_figures(found)])
    text = f"since {found.since:%Y-%m-%d %H:%M}\n{total}\nwaiting and running: p50, p95"
    return Answer(found.asdict(), text)


VERBS = (
    Verb("actors", "finished runs of each actor", _actors, _declare_actors),
    Verb("queues", "the queues, and how long their runs wait", _queues, add_broker),
    Verb("workers", "the worker processes and their runs", _workers, add_broker),
    Verb("brokers", "which brokers answer", _brokers, add_broker),
    Verb("errors", "failures grouped by cause", _errors, _declare_errors),
    Verb("stats", "finished runs in a period", _stats, _declare_stats),
)
