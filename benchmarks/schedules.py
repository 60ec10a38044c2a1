"""python -m benchmarks.schedules: schedulers with 10,000 schedules, side by side.

Everybody on one Valkey and one PostgreSQL, one after the other, each in a process of
its own; see `benchmarks.ticking`. `--only Switchyard` measures one of them.
django-celery-beat is fetched for the measurement into a folder that is thrown away.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from tests.services.postgres import Postgres
from tests.services.valkey import Valkey

PROJECT = Path(__file__).resolve().parents[1]
#: Name and module; stock Beat is what the others are compared with.
CONTESTANTS = {
    "Celery Beat": "beat",
    "django-celery-beat": "django_beat",
    "APScheduler, in memory": "apscheduler",
    "Switchyard": "switchyard",
}
#: What only django-celery-beat needs, without what it shares with us.
FETCHED = ("django-celery-beat", "django-timezone-field", "python-crontab")


def main() -> None:
    """Start the servers, measure, and show the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedules")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--only", default="", help="a part of a name")
    given = parser.parse_args()
    names = [name for name in CONTESTANTS if given.only.lower() in name.lower()]
    with (
        tempfile.TemporaryDirectory() as folder,
        Valkey(Path(folder)) as valkey,
        Postgres(Path(folder)) as postgres,
    ):
        environment = prepare(Path(folder), valkey.url, postgres.url)
        figures: dict[str, Any] = {}
        for name in names:
            print(f"{name} ...", flush=True)
            figures[name] = measure(CONTESTANTS[name], given.count, environment)
    Console().print(table(figures, given.count))


def prepare(folder: Path, broker: str, database: str) -> dict[str, str]:
    """Make what they need; return their environment."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE peers")
    environment = {
        **os.environ,
        "BENCH_BROKER_URL": broker,
        "BENCH_DATABASE_URL": database.rpartition("/")[0] + "/peers",
        "BROKER_URL": broker,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(folder / "fetched"),
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)
    fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    fetch += ["--disable-pip-version-check", f"--target={folder / 'fetched'}"]
    subprocess.run([*fetch, *FETCHED], stderr=subprocess.DEVNULL)
    return environment


def measure(module: str, count: int, environment: dict[str, str]) -> Any:
    """Return the figures of one of them; or why there are none."""
    command = [sys.executable, "-m", f"benchmarks.ticking.{module}", str(count)]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    return (done.stderr.strip().splitlines() or ["it ended"])[-1]


def table(figures: dict[str, Any], count: int) -> Table:
    """Return what was measured."""
    shown = Table(title=f"{count} schedules")
    shown.add_column("scheduler")
    for name in ("idle tick, ms", "all due, s", "an edit is live, ms"):
        shown.add_column(name, justify="right")
    for name, found in figures.items():
        if isinstance(found, str):
            shown.add_row(name, "not measured:", found, "")
            continue
        guess = "" if found["sent"] >= count else f" (from {found['sent']})"
        edit = found["edit_ms"]
        shown.add_row(
            name,
            f"{found['idle_ms']:.2f}",
            f"{found['due_s']:.1f}{guess}",
            "restart" if edit is None else f"{edit:.1f}",
        )
    return shown


if __name__ == "__main__":
    main()
