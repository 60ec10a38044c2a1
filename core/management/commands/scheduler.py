"""manage.py scheduler: fire what the schedules say, by the driver of your choice."""

from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from core.alerts import watching
from core.broker.handler import brokers
from core.errors import CoreError
from core.management.tables import check_tables
from core.processes.clock import Clock

#: SCHEDULERS and SCHEDULER, unless the settings are there.
DRIVERS = {
    "beat": "backends.celery.beat.run",
    "apscheduler": "backends.apscheduler.run",
}
DRIVER = "beat"


class Command(BaseCommand):
    """Keeps the time; also relays and rescues, so that what fires is published."""

    help = "Fire due schedules. Start as many as you like: every slot fires once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--driver",
            default=getattr(settings, "SCHEDULER", DRIVER),
            help="a name in SCHEDULERS (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        run = _driver(options["driver"])
        check_tables(brokers.databases())
        self.stdout.write(f"Schedules are driven by {options['driver']}.")
        try:
            with ExitStack() as clocks:
                clocks.enter_context(watching())
                for alias in brokers:
                    broker = brokers[alias]
                    clock = Clock(broker, broker.queues())
                    clock.start()
                    clocks.callback(clock.stop)
                run()
        except CoreError as error:
            raise CommandError(str(error)) from error


def _driver(name: str) -> Callable[[], None]:
    known: dict[str, str] = getattr(settings, "SCHEDULERS", DRIVERS)
    if name not in known:
        raise CommandError(
            f"--driver is {name!r}; it must be one of SCHEDULERS:"
            f" {', '.join(known) or 'there are none'}."
        )
    run: Callable[[], None] = import_string(known[name])
    return run
