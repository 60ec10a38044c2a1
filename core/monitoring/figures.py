"""Sums of rollups, with the same names in every snapshot."""

from dataclasses import dataclass
from typing import Any

from core.monitoring.snapshot import Snapshot
from core.runs.histogram import percentile
from core.runs.tally import COUNTS, ENDED, Tally


@dataclass(frozen=True, slots=True)
class Figures(Snapshot):
    """The outcomes of runs that ended in a period; durations in s, None: of none."""

    #: Ended runs, with any outcome.
    runs: int
    succeeded: int
    dead: int
    cancelled: int
    #: Failed attempts, including those of runs that succeeded later.
    failures: int
    #: Seconds from due to started: median and 95th percentile.
    waiting_p50: float | None
    waiting_p95: float | None
    #: Seconds from started to finished of the last attempt.
    running_p50: float | None
    running_p95: float | None


def figures(tally: Tally) -> dict[str, Any]:
    """Return the values of `Figures`."""
    return {
        "runs": sum(tally.counts[state] for state in ENDED),
        **{name: tally.counts[name] for name in COUNTS},
        "waiting_p50": percentile(tally.waiting, 0.50),
        "waiting_p95": percentile(tally.waiting, 0.95),
        "running_p50": percentile(tally.running, 0.50),
        "running_p95": percentile(tally.running, 0.95),
    }
