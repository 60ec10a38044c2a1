"""An alias that nobody works for, and why its runs have not started."""

from typing import Any

from core import monitoring, runs
from core.models import Run
from tests.core.one_queue import make_worker
from tests.core.test_runs import make

ALIAS = "explained"


def add_worker(name: str = "one", **fields: Any) -> None:
    make_worker(name, ALIAS, **fields)


def reasons(run: Any) -> list[str]:
    return [one.code for one in explain(run).reasons]


def explain(run: Any) -> monitoring.Explanation:
    return monitoring.explain(str(getattr(run, "message_id", None) or run.pk))


def row(**fields: Any) -> Run:
    return make(broker=ALIAS, **fields)


def claimed(worker: str = "one") -> Run:
    run = row()
    claimed = runs.claim("default", run.pk, worker)
    assert claimed
    return claimed
