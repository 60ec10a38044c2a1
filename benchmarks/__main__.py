"""make bench: durable send and drain of a full queue, everybody in one run.

Rounds alternate between the contestants; medians are shown, and ratios to the first.
Absolute figures drift by half from run to run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import redis
from rich.console import Console
from rich.table import Table

from benchmarks.contestants import CONTESTANTS, Contestant
from tests.services.postgres import Postgres
from tests.services.valkey import Valkey

PROJECT = Path(__file__).resolve().parents[1]
KEY = "bench:done"
#: A drain that takes longer than this is a failure, s.
PATIENCE = 300


class Race:
    """One broker, one database, and what was measured so far."""

    def __init__(self, broker: str, database: str, count: int) -> None:
        self.count = count
        self.client = redis.Redis.from_url(broker)
        self.environment = {
            **os.environ,
            "BENCH_BROKER_URL": broker,
            "BROKER_URL": broker,
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "LOG_LEVEL": "ERROR",
        }
        self.sends: dict[str, list[float]] = defaultdict(list)
        self.drains: dict[str, list[float]] = defaultdict(list)

    def migrate(self) -> None:
        """Make Switchyard's tables."""
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=PROJECT, env=self.environment, check=True)

    def measure(self, one: Contestant) -> None:
        """Let a contestant fill its queue, then drain it."""
        environment = {**self.environment, **one.environment}
        self.client.flushall()
        sent = subprocess.run(
            [sys.executable, "-m", one.sender, str(self.count)],
            cwd=PROJECT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
        )
        self.sends[one.name].append(float(sent.stdout))
        self.drains[one.name].append(self._drain(one, environment))

    def _drain(self, one: Contestant, environment: dict[str, str]) -> float:
        """Return the messages a second, from the first that is done to the last."""
        worker = subprocess.Popen(
            one.worker,
            cwd=PROJECT,
            env=environment,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + PATIENCE
            first, start = self._done(1, deadline), time.perf_counter()
            last = self._done(self.count, deadline)
            return (last - first) / (time.perf_counter() - start)
        finally:
            worker.terminate()
            worker.wait(60)

    def _done(self, count: int, deadline: float) -> int:
        """Wait until so many are done; return how many were."""
        while True:
            done = int(self.client.get(KEY) or 0)
            if done >= count:
                return done
            if time.monotonic() > deadline:
                raise SystemExit(f"Only {done} of {self.count} were done in time.")
            time.sleep(0.005)

    def table(self, rounds: int) -> Table:
        """Return the medians."""
        shown = Table(title=f"{self.count} messages, median of {rounds} rounds")
        shown.add_column("contestant")
        for name in ("send, us", "ratio", "drain, 1/s", "ratio"):
            shown.add_column(name, justify="right")
        first = CONTESTANTS[0].name
        base = statistics.median(self.sends[first])
        base_drain = statistics.median(self.drains[first])
        for one in CONTESTANTS:
            send = statistics.median(self.sends[one.name])
            drain = statistics.median(self.drains[one.name])
            figures = (send, send / base, drain, drain / base_drain)
            formats = ("{:.0f}", "{:.2f}", "{:.0f}", "{:.2f}")
            cells = [f.format(v) for f, v in zip(formats, figures, strict=True)]
            shown.add_row(one.name, *cells)
        return shown


def main() -> None:
    """Run the race and show its table."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        valkey, postgres = Valkey(Path(folder)), Postgres(Path(folder))
        valkey.start()
        postgres.start()
        try:
            race = Race(valkey.url, postgres.url, given.count)
            race.migrate()
            for number in range(given.rounds):
                for one in CONTESTANTS:
                    print(f"Round {number + 1}: {one.name}", flush=True)
                    race.measure(one)
        finally:
            postgres.stop()
            valkey.stop()
    Console().print(race.table(given.rounds))


if __name__ == "__main__":
    main()
