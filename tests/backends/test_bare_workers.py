"""The engines' own command lines: refused, with what to use instead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.valkey import Valkey

PROJECT = Path(__file__).parents[2]
#: The engine, and a command line of its own.
BARE = [
    ("celery", ["-m", "celery", "-A", "project.celery", "worker"]),
    ("dramatiq", ["manage.py", "rundramatiq", "--processes=1", "--threads=1"]),
    ("dramatiq", ["-m", "dramatiq", "django_dramatiq.setup", "--processes=1"]),
]


@pytest.mark.parametrize(("engine", "command"), BARE)
def test_bare_engine_worker_is_refused_with_the_command_to_use(
    engine: str, command: list[str], valkey: Valkey, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings.dev",
        "TASK_BACKEND": engine,
        "BROKER_URL": valkey.url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }
    ended = subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        text=True,
    )
    assert ended.returncode != 0
    assert "Use this instead: manage.py worker --broker=default" in ended.stdout
    assert "Traceback" not in ended.stdout
