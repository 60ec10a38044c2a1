"""python -m benchmarks.monitoring: how long each snapshot takes with a million runs.

In a PostgreSQL of its own, filled by one statement. The figures are medians; whatever
takes longer than it may is told, and the command ends with 1. --explain shows the plans
of its queries; --only NAME looks at one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services.postgres import Postgres

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Start a database, fill it and time what is asked of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Postgres(Path(folder)) as postgres,
    ):
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "TASK_BACKEND": "inprocess",
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)
        timed = [sys.executable, "manage.py", "time_snapshots"]
        timed += [f"--count={given.count}", f"--rounds={given.rounds}"]
        timed += [f"--only={given.only}", *(["--explain"] if given.explain else [])]
        sys.exit(subprocess.run(timed, cwd=PROJECT, env=environment).returncode)


if __name__ == "__main__":
    main()
