"""manage.py time_snapshots: fill the database, and time every snapshot of it."""

import os
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import psutil
from django.core.management.base import BaseCommand
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.million import fill
from core import alerts, monitoring, runs
from core.models import Run, State

#: No snapshot may take longer, ms.
BOUND = 50

BUSY, RARE = "shop.tasks.actor_0", "shop.tasks.actor_19"
A_WEEK, A_MONTH = timedelta(days=7), timedelta(days=30)


def snapshots() -> Mapping[str, Callable[[], Any]]:
    """Return everything that an operator may ask for, by what it is called here."""
    old = Run.objects.order_by("-created_at")[400_000:400_001].get()
    deep = f"{old.created_at.isoformat()}_{old.pk}"
    dead = str(Run.objects.filter(state=State.DEAD).first())
    dead = dead.split()[1]
    page = monitoring.page
    return {
        "brokers": monitoring.brokers,
        "queues": monitoring.queues,
        "workers": monitoring.workers,
        "actors, 1 h": monitoring.actors,
        "actors, 1 d": lambda: monitoring.actors(timedelta(days=1)),
        "actors, 30 d": lambda: monitoring.actors(A_MONTH),
        "stats, 1 h": monitoring.stats,
        "stats, 1 d": lambda: monitoring.stats(timedelta(days=1)),
        "stats, 30 d": lambda: monitoring.stats(A_MONTH),
        "stats, 30 d, an actor": lambda: monitoring.stats(A_MONTH, actor=BUSY),
        "errors, 1 d": monitoring.errors,
        "errors, 7 d": lambda: monitoring.errors(A_WEEK),
        "dead letters": monitoring.dead_letters,
        "effects": monitoring.effects,
        "run": lambda: monitoring.run(dead),
        "runs": page,
        "runs, far down": lambda: page(before=deep),
        "runs, a day ago": lambda: page(until=old.created_at),
        **{
            f"runs, {state}": lambda state=state: page(state=state)
            for state in State.values
        },
        "runs, busy actor": lambda: page(actor_name=BUSY),
        "runs, rare actor": lambda: page(actor_name=RARE),
        "runs, no such actor": lambda: page(actor_name="nobody"),
        "runs, rare actor, dead": lambda: page(actor_name=RARE, state="dead"),
        "runs, rare actor, pending": lambda: page(actor_name=RARE, state="pending"),
        "runs, rare actor, far down": lambda: page(actor_name=RARE, before=deep),
        "runs, queue": lambda: page(queue_name="queue_4"),
        "runs, no such queue": lambda: page(queue_name="none"),
        "runs, worker": lambda: page(worker="celery-3"),
        "runs, no such worker": lambda: page(worker="none"),
        "runs, an id": lambda: page(search=dead[:8]),
        "runs, dead, an error": lambda: page(state="dead", search="no. 7"),
        "runs, an error": lambda: page(search="no. 7"),
        "runs, no such error": lambda: page(search="never"),
        "what is wrong": alerts.wrong,
        "liveness": monitoring.liveness,
    }


class Command(BaseCommand):
    """Medians; ends with 1 if one is over the bound."""

    help = "Fill the database with runs and time every snapshot. For a fresh database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--count", type=int, default=1_000_000)
        parser.add_argument("--rounds", type=int, default=15)
        parser.add_argument("--only", default="")
        parser.add_argument("--explain", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill, count, time."""
        self._timed("fill", lambda: fill(options["count"]))
        self._timed("roll up", _roll_up)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        slow = []
        for name, look in snapshots().items():
            if options["only"] not in name:
                continue
            median = self._time(name, look, options["rounds"])
            slow += [name] if median > BOUND else []
            if options["explain"]:
                self._explain(look)
        if slow:
            self.stderr.write(f"Over {BOUND} ms: {', '.join(slow)}.")
            sys.exit(1)

    def _timed(self, name: str, step: Callable[[], Any]) -> None:
        start = time.perf_counter()
        step()
        self.stdout.write(f"{name}: {time.perf_counter() - start:.1f} s")

    def _time(self, name: str, look: Callable[[], Any], rounds: int) -> float:
        took = []
        look()
        busy = self._cpu()
        for _ in range(rounds):
            start = time.perf_counter()
            look()
            took.append((time.perf_counter() - start) * 1000)
        busy = (self._cpu() - busy) * 1000 / rounds
        median = statistics.median(took)
        self.stdout.write(
            f"{name:<28} {median:7.1f} ms  {min(took):7.1f} to {max(took):7.1f},"
            f" {busy:7.1f} of CPU"
        )
        return median

    def _cpu(self) -> float:
        """Return the seconds that this process and its server have computed."""
        server = connection.connection.info.backend_pid
        used = [psutil.Process(pid).cpu_times() for pid in (server, os.getpid())]
        return sum(one.user + one.system for one in used)

    def _explain(self, look: Callable[[], Any]) -> None:
        with CaptureQueriesContext(connection) as queries:
            look()
        for query in queries.captured_queries:
            self.stdout.write(query["sql"][:400])
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + query["sql"])
                self.stdout.write("\n".join(f"    {line}" for (line,) in cursor))


def _roll_up() -> None:
    while runs.roll_up("default", "default"):
        pass
