"""The families of metrics: names, labels and units, by Prometheus's conventions."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

from backends.prometheus import rows
from backends.prometheus.ended import ended
from core.monitoring import WorkerSnapshot

PLACE = ("broker", "queue")
#: The states of open runs in the metrics.
OPEN = ("scheduled", "due", "queued", "running")


def families() -> Iterator[Metric]:
    """Yield every family, also those without a sample."""
    workers = rows.alive()
    yield from _queues(workers)
    yield from _workers(workers)
    yield _parked()
    yield from ended()
    unknown = rows.unknown_effects()
    words = "Effects outside the database whose end nobody knows."
    yield GaugeMetricFamily("switchyard_unknown_effects", words, value=unknown)


def _queues(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    runs = GaugeMetricFamily(
        "switchyard_queue_runs",
        "Open runs: scheduled (later, or after another one), due, queued at the broker,"
        " running.",
        labels=(*PLACE, "state"),
    )
    oldest = GaugeMetricFamily(
        "switchyard_queue_oldest_wait_seconds",
        "Since the run that waits longest could have started; 0 without one.",
        labels=PLACE,
    )
    served = GaugeMetricFamily(
        "switchyard_queue_workers",
        "Live worker processes that serve the queue.",
        labels=PLACE,
    )
    dead = GaugeMetricFamily(
        "switchyard_dead_runs", "Dead runs that are kept.", labels=PLACE
    )
    for key, line in sorted(rows.lines(workers).items()):
        for state in OPEN:
            runs.add_metric((*key, state), getattr(line, state))
        oldest.add_metric(key, line.oldest)
        served.add_metric(key, line.workers)
        dead.add_metric(key, line.dead)
    yield from (runs, oldest, served, dead)


def _workers(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    labels = ("broker", "engine")
    processes = GaugeMetricFamily(
        "switchyard_workers", "Live worker processes.", labels=labels
    )
    threads = GaugeMetricFamily(
        "switchyard_worker_threads", "Runs that they can run at once.", labels=labels
    )
    memory = GaugeMetricFamily(
        "switchyard_worker_resident_memory_bytes",
        "Memory that they have.",
        labels=labels,
    )
    for key, crew in sorted(rows.crews(workers).items()):
        processes.add_metric(key, crew.processes)
        threads.add_metric(key, crew.threads)
        memory.add_metric(key, crew.memory)
    yield from (processes, threads, memory)


def _parked() -> Metric:
    parked = GaugeMetricFamily(
        "switchyard_parked_messages",
        "Messages that were not understood, and are kept.",
        labels=("broker",),
    )
    for alias, number in sorted(rows.parked().items()):
        parked.add_metric((alias,), number)
    return parked
