"""manage.py worker: run the actors of a broker alias on its engine."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from typing import Any

import psutil
from django.core.management.base import BaseCommand, CommandError

from core.alerts import watching
from core.broker.broker import Broker
from core.broker.handler import brokers
from core.errors import BrokerConfigError
from core.management.tables import check_tables
from core.management.tasks_verbs.verb import positive
from core.models import ACTIVE, Run
from core.processes.autoscale import Autoscale
from core.processes.clock import Clock
from core.processes.supervisor import Supervisor
from core.worker import beats
from core.worker.recycling import MEGABYTE, Recycling


class Command(BaseCommand):
    """Supervises the engine's own worker processes, relays and rescues."""

    help = "Run the actors of a broker alias in supervised worker processes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--broker", default="default", help="alias in BROKERS")
        parser.add_argument(
            "--queues", default="", help="comma-separated; default: all"
        )
        _declare_size(parser)
        parser.add_argument(
            "--alone",
            action="store_true",
            help=SUPPRESS,  # with --child: what crashed its process, one at a time
        )
        # One bare process: what the supervisor starts.
        parser.add_argument("--child", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        try:
            broker = brokers[options["broker"]]
        except BrokerConfigError as error:
            raise CommandError(str(error)) from error
        if not options["child"]:
            check_tables([broker.database])
        queues = _queues(broker, options["queues"])
        if options["child"]:
            beats.start()
            if options["alone"]:
                broker.work_alone()
            else:
                bounds = options["max_runs"], options["max_memory"]
                Recycling(broker.lease, *bounds).start()
                broker.work(queues, options["threads"])
            return
        least, most = _processes(broker, options)
        _check_memory(options["max_memory"])
        number = f"{least} to {most}" if most > least else least
        self.stdout.write(
            f"Broker {broker.alias!r} on {broker.backend.engine}: {number} processes"
            f" x {options['threads']} threads, queues {', '.join(queues)}."
        )
        scale = Autoscale(broker, queues, least, most) if most > least else None
        clock = Clock(broker, queues, scale)
        with watching():
            Supervisor(clock, _child(options, queues), least).run()


def _declare_size(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--processes", type=positive, help="number of processes; default: one per CPU"
    )
    parser.add_argument(
        "--autoscale",
        type=_range,
        metavar="MIN,MAX",
        help="instead of --processes: add processes while runs wait, stop idle ones",
    )
    parser.add_argument("--threads", type=positive, default=4, help="per process")
    parser.add_argument(
        "--max-runs",
        type=positive,
        help="replace a process after about this many runs",
    )
    parser.add_argument(
        "--max-memory",
        type=positive,
        metavar="MB",
        help="replace a process with more resident memory than this",
    )


def _range(text: str) -> tuple[int, int]:
    least, comma, most = text.partition(",")
    if not comma:
        raise ArgumentTypeError(f"{text!r} is no MIN,MAX; write 2,8")
    if positive(least) > positive(most):
        raise ArgumentTypeError(f"{text!r}: MIN is over MAX; write {most},{least}")
    return int(least), int(most)


def _processes(broker: Broker, options: dict[str, Any]) -> tuple[int, int]:
    """Return the least and the largest number of processes."""
    number, scale = options["processes"], options["autoscale"]
    if number and scale:
        raise CommandError("--autoscale says how many: leave --processes out.")
    if not broker.backend.supports_worker:
        return 0, 0
    number = number or os.cpu_count() or 1
    return scale or (number, number)


def _check_memory(most: int | None) -> None:
    needed = psutil.Process().memory_info().rss // MEGABYTE
    if most is not None and most <= needed:
        raise CommandError(
            f"--max-memory={most}: a process has {needed} MB before its first run."
        )


def _queues(broker: Broker, given: str) -> list[str]:
    """Return the queues asked for, or raise naming one that no actor has."""
    declared = broker.queues()
    asked = [name.strip() for name in given.split(",") if name.strip()] or declared
    for name in asked:
        if name not in declared and not _waits(broker, name):
            raise CommandError(
                f"--queues: no actor has the queue {name!r}, and nothing waits in it;"
                f" there are {', '.join(declared)}."
            )
    return asked


def _waits(broker: Broker, queue: str) -> bool:
    """Return True if a send has named a queue that no actor declares."""
    rows = Run.objects.using(broker.database).filter(state__in=ACTIVE)
    return rows.filter(broker=broker.alias, queue_name=queue).exists()


def _child(options: dict[str, Any], queues: list[str]) -> list[str]:
    bounds = {"max-runs": options["max_runs"], "max-memory": options["max_memory"]}
    return [
        sys.executable,
        sys.argv[0],
        "worker",
        "--child",
        "--skip-checks",  # its parent has passed them
        f"--broker={options['broker']}",
        f"--queues={','.join(queues)}",
        f"--threads={options['threads']}",
        *[f"--{name}={bound}" for name, bound in bounds.items() if bound],
    ]
