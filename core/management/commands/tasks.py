"""manage.py tasks ...: look at runs, queues, workers, brokers, and act on them.

The verbs are in `core.management.tasks_verbs`.
"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from core.broker.handler import brokers
from core.chaos import command as chaos
from core.errors import CoreError
from core.management.tables import check_tables
from core.management.tasks_verbs import (
    acting,
    alerting,
    live,
    looking,
    probing,
    scheduling,
    sending,
    watching,
)

GROUPS = (live, watching, looking, sending, acting, scheduling, probing, alerting)
VERBS = {verb.name: verb for group in GROUPS for verb in group.VERBS}


class Command(BaseCommand):
    """One verb each; `--json` for programs."""

    help = "Show runs, queues, workers and brokers; requeue or cancel runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb in VERBS.values():
            declared = verbs.add_parser(verb.name, help=verb.help)
            verb.declare(declared)
            declared.add_argument("--json", action="store_true", help="for programs")
        hurt = verbs.add_parser("chaos", help="test a staging system with faults")
        chaos.add_arguments(hurt)
        hurt.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "chaos":
            # It takes minutes, and tells of them as they pass.
            chaos.handle(options, self.stdout.write)
            return
        try:
            answer = VERBS[options["verb"]].perform(options)
        except CoreError as error:
            raise CommandError(str(error)) from error
        except DatabaseError:
            check_tables(brokers.databases())
            raise
        told = json.dumps(answer.values, default=str) if options["json"] else ""
        self.stdout.write(told or answer.text)
        if not answer.ok:
            sys.exit(1)
