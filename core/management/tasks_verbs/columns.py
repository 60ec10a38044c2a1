"""The columns in which queues, workers, brokers and errors are told."""

from collections.abc import Sequence

from core.monitoring import (
    BrokerSnapshot,
    ErrorSnapshot,
    QueueSnapshot,
    WorkerSnapshot,
)
from core.monitoring.words import seconds

Row = list[object]

QUEUES = (
    *("queue", "broker", "pending", "due", "queued", "running", "depth"),
    *("oldest", "ended/s", "failing", "paused"),
)
WORKERS = (
    *("worker", "broker", "alive", "host", "pid", "threads", "busy", "MB"),
    *("starts/s", "beat"),
)
BROKERS = ("broker", "engine", "version", "up", "ms", "error")
ERRORS = ("group", "count", "last seen", "actor", "error", "place", "such a run")


def queue_rows(found: Sequence[QueueSnapshot]) -> list[Row]:
    """Return a row of `QUEUES` for each."""
    return [
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


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def worker_rows(found: Sequence[WorkerSnapshot]) -> list[Row]:
    """Return a row of `WORKERS` for each."""
    return [
        [
            one.name,
            one.broker,
            one.alive,
            one.host,
            one.pid,
            one.threads,
            len(one.running),
            one.rss // 2**20,
            one.rate,
            f"{one.last_beat:%H:%M:%S}",
        ]
        for one in found
    ]


def broker_rows(found: Sequence[BrokerSnapshot]) -> list[Row]:
    """Return a row of `BROKERS` for each."""
    return [
        [one.alias, one.engine, one.version, one.up, one.latency, one.error]
        for one in found
    ]


def error_rows(found: Sequence[ErrorSnapshot]) -> list[Row]:
    """Return a row of `ERRORS` for each."""
    return [
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
