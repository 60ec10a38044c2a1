"""manage.py worker: run the actors of a broker alias on its engine."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.alerts import watching
from core.broker.broker import Broker
from core.broker.handler import brokers
from core.errors import BrokerConfigError
from core.processes.keeper import Keeper
from core.processes.supervisor import Supervisor
from core.worker import beats


class Command(BaseCommand):
    """Supervises the engine's own worker processes, relays and rescues."""

    help = "Run the actors of a broker alias: the engine's workers, kept alive."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--broker", default="default", help="alias in BROKERS")
        parser.add_argument(
            "--queues", default="", help="comma-separated; all if empty"
        )
        parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1)
        parser.add_argument("--threads", type=_positive, default=4, help="per process")
        parser.add_argument(
            "--alone",
            action="store_true",
            help="with --child: runs that crashed their process, one at a time",
        )
        parser.add_argument("--child", action="store_true", help="one bare process")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        try:
            broker = brokers[options["broker"]]
        except BrokerConfigError as error:
            raise CommandError(str(error)) from error
        queues = _queues(broker, options["queues"])
        if options["child"]:
            beats.start()
            if options["alone"]:
                broker.work_alone()
            else:
                broker.work(queues, options["threads"])
            return
        processes = options["processes"] if broker.backend.supports_worker else 0
        self.stdout.write(
            f"Broker {broker.alias!r} on {broker.backend.engine}: {processes} processes"
            f" x {options['threads']} threads, queues {', '.join(queues)}."
        )
        keeper = Keeper(broker.outbox, queues)
        with watching():
            Supervisor(keeper, _child(options, queues), processes).run()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _queues(broker: Broker, given: str) -> list[str]:
    """Return the queues asked for, or raise naming one that no actor has."""
    declared = broker.queues()
    asked = [name.strip() for name in given.split(",") if name.strip()] or declared
    for name in asked:
        if name not in declared:
            raise CommandError(
                f"--queues: no actor has the queue {name!r}; there are"
                f" {', '.join(declared)}."
            )
    return asked


def _child(options: dict[str, Any], queues: list[str]) -> list[str]:
    return [
        sys.executable,
        sys.argv[0],
        "worker",
        "--child",
        "--skip-checks",  # its parent has passed them
        f"--broker={options['broker']}",
        f"--queues={','.join(queues)}",
        f"--threads={options['threads']}",
    ]
