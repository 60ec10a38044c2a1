"""Counters of ended runs, summed from the rollups.

They are rows that are never pruned, so that no counter falls when its runs go. They
grow once a minute. Messages without a row that go well leave nothing to be counted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from backends.prometheus.rows import declared
from core.broker.handler import brokers
from core.models import RolledUp, Rollup
from core.models.rollup import EVER
from core.runs.histogram import BOUNDS
from core.runs.tally import ENDED, Tally

#: (alias, queue name, actor name).
Key = tuple[str, str, str]
LABELS = ("broker", "queue", "actor")
#: The exported bounds, every third of those counted: 3 ms to a day.
TOLD = range(3, len(BOUNDS), 3)


def ended() -> Iterator[Metric]:
    """Yield the families of all that has ended."""
    found = sorted(_tallies().items())
    yield _runs(found)
    failed = CounterMetricFamily(
        "switchyard_failed_attempts",
        "Attempts that did not succeed, also of runs that did later.",
        labels=LABELS,
    )
    for key, tally in found:
        failed.add_metric(key, tally.counts["failures"])
    yield failed
    waited = _histogram("switchyard_run_wait_seconds", "From due to started.")
    ran = _histogram("switchyard_run_duration_seconds", "From started to finished.")
    for key, tally in found:
        waited.add_metric(key, _buckets(tally.waiting), sum_value=None)
        ran.add_metric(key, _buckets(tally.running), sum_value=None)
    yield from (waited, ran, _until())


def _tallies() -> Mapping[Key, Tally]:
    found: dict[Key, Tally] = defaultdict(Tally)
    for key in declared():
        found[key] = Tally()  # from 0 on: otherwise its first runs are no increase
    for database in brokers.databases():
        for row in Rollup.objects.using(database).filter(span=EVER):
            if row.broker in brokers:
                key = (row.broker, row.queue_name, row.actor_name)
                found[key].add(Tally.of(row))
    return found


def _runs(found: Sequence[tuple[Key, Tally]]) -> Metric:
    runs = CounterMetricFamily(
        "switchyard_runs",
        "Runs that ended: succeeded, dead, cancelled.",
        labels=(*LABELS, "outcome"),
    )
    for key, tally in found:
        for state in ENDED:
            runs.add_metric((*key, state.value), tally.counts[state])
    return runs


def _histogram(name: str, words: str) -> HistogramMetricFamily:
    # Without a sum: it is not counted.
    about = f"{words} Of runs that succeeded or died; of their last attempt."
    return HistogramMetricFamily(name, about, labels=LABELS)


def _buckets(counted: Counter[str]) -> list[tuple[str, float]]:
    """Return, for each bound in seconds, how many took at most that long."""
    numbers = {int(bucket): count for bucket, count in counted.items()}
    told: list[tuple[str, float]] = [
        (
            str(BOUNDS[bound] / 1000),
            sum(count for bucket, count in numbers.items() if bucket <= bound),
        )
        for bound in TOLD
    ]
    return [*told, ("+Inf", sum(numbers.values()))]


def _until() -> Metric:
    until = GaugeMetricFamily(
        "switchyard_counted_until_timestamp_seconds",
        "What has ended until then is in the counters.",
        labels=("broker",),
    )
    for database in brokers.databases():
        for row in RolledUp.objects.using(database).order_by("broker"):
            if row.broker in brokers:
                until.add_metric((row.broker,), row.until.timestamp())
    return until
