"""Who takes part, and how each is started."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

PYTHON = sys.executable
CELERY = (PYTHON, "-m", "celery", "-A", "benchmarks.celery_stock", "worker", "-lERROR")
WORKER = (PYTHON, "manage.py", "worker", "--processes=2", "--threads=4")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A way to send and a worker to drain what was sent."""

    name: str
    sender: str  # a module that sends as often as its argument says
    worker: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


CONTESTANTS = (
    Contestant(
        "Celery, prefork 2",
        "benchmarks.celery_stock",
        (*CELERY, "-P", "prefork", "-c", "2"),
    ),
    Contestant(
        "Celery, threads 8",
        "benchmarks.celery_stock",
        (*CELERY, "-P", "threads", "-c", "8"),
    ),
    Contestant(
        "Dramatiq, 2 x 8",
        "benchmarks.dramatiq_stock",
        (PYTHON, "-m", "dramatiq", "benchmarks.dramatiq_stock", "-p", "2", "-t", "8"),
    ),
    Contestant(
        "Switchyard on Celery, 2 x 4",
        "benchmarks.switchyard",
        WORKER,
        {"TASK_BACKEND": "celery"},
    ),
    Contestant(
        "Switchyard on Dramatiq, 2 x 4",
        "benchmarks.switchyard",
        WORKER,
        {"TASK_BACKEND": "dramatiq"},
    ),
)
