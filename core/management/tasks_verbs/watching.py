"""manage.py tasks actors|queues|workers|brokers|errors|stats: how it goes."""

from argparse import ArgumentParser
from collections.abc import Sequence

from core import monitoring
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
_BROKER_HEADS = ("broker", "engine", "version", "up", "ms", "error")


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


_QUEUE_HEADS = (
    *("queue", "broker", "pending", "due", "queued", "running", "depth"),
    *("oldest", "ended/s", "failing", "paused"),
)


def _queues(options: Options) -> Answer:
    found = monitoring.queues(known(options))
    rows = [
        [
            one.name,
            one.broker,
            one.pending,
            one.due,
            one.queued,
            one.running,
            one.depth,
            seconds(one.oldest_wait),
            one.throughput,
            _share(one.failure_rate),
            f"by {one.paused_by}" if one.paused_at else "",
        ]
        for one in found
    ]
    return _answer(found, table(_QUEUE_HEADS, rows))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _workers(options: Options) -> Answer:
    found = monitoring.workers(known(options))
    heads = "worker broker alive host pid slots busy MB starts/s beat"
    rows = [
        [
            one.name,
            one.broker,
            one.alive,
            one.host,
            one.pid,
            one.slots,
            len(one.running),
            one.rss // 2**20,
            one.rate,
            f"{one.last_beat:%H:%M:%S}",
        ]
        for one in found
    ]
    lines = [
        f"{run.id}  {run.actor_name}  attempt {run.attempt}, {seconds(run.seconds)}"
        for one in found
        for run in one.running
    ]
    return _answer(found, "\n".join([table(heads.split(), rows), *lines]))


def _brokers(options: Options) -> Answer:
    found = monitoring.brokers(known(options))
    rows = [
        [one.alias, one.engine, one.version, one.up, one.latency, one.error]
        for one in found
    ]
    return _answer(found, table(_BROKER_HEADS, rows))


def _declare_errors(parser: ArgumentParser) -> None:
    add_period(parser, "1d")
    parser.add_argument("--limit", type=positive, default=50)


def _errors(options: Options) -> Answer:
    found = monitoring.errors(options["period"], options["limit"])
    rows = [
        [
            one.fingerprint,
            one.count,
            f"{one.last_seen:%Y-%m-%d %H:%M:%S}",
            one.actor_name,
            one.kind,
            one.place,
            one.run_id,
        ]
        for one in found
    ]
    heads = ("group", "count", "last seen", "actor", "error", "place", "such a run")
    return _answer(found, table(heads, rows))


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
    Verb("actors", "what became of each actor's runs", _actors, _declare_actors),
    Verb("queues", "what waits, and for how long", _queues, add_broker),
    Verb("workers", "the processes, and what each runs", _workers, add_broker),
    Verb("brokers", "which brokers answer", _brokers, add_broker),
    Verb("errors", "failures by their cause", _errors, _declare_errors),
    Verb("stats", "what ended in a period", _stats, _declare_stats),
)
