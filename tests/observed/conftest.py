"""A shop that is observed from outside, on each engine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from project.demo.processes import PROJECT, Shop
from tests.services.environment import free_port
from tests.services.valkey import Valkey

ENGINES = ("celery", "dramatiq")
TOKEN = "read the metrics"


class Observed(Shop):
    """With the files that its processes write to."""

    spans: Path
    log: Path
    environment: dict[str, str]

    def manage(self, *command: str) -> None:
        """Run one of Django's commands as its operator would."""
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env={**os.environ, **self.environment},
            check=True,
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture(params=ENGINES)
def observed(
    request: pytest.FixtureRequest, valkey: Valkey, tmp_path: Path
) -> Iterator[Observed]:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.observed.settings",
        "TASK_BACKEND": request.param,
        "BROKER_URL": valkey.url,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.sqlite3'}",
        "NAMESPACE": f"observed-{os.getpid()}",
        "METRICS_TOKEN": TOKEN,
        "OBSERVED_SPANS": str(tmp_path / "spans"),
    }
    shop = Observed(environment, free_port(), tmp_path)
    shop.spans, shop.log = tmp_path / "spans", tmp_path / "worker.log"
    shop.environment = environment
    shop.manage("migrate")
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()
