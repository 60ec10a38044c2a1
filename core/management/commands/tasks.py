"""manage.py tasks runs|show|requeue|cancel: look at runs and act on them."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import control, monitoring
from core.errors import UnknownRun
from core.models import State


class Command(BaseCommand):
    """One verb each; `--json` for programs."""

    help = "Look at runs, requeue or cancel them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        runs = verbs.add_parser("runs", help="the newest runs")
        _filters(runs)
        runs.add_argument("--limit", type=int, default=50)
        show = verbs.add_parser("show", help="one run with its attempts")
        show.add_argument("id")
        for verb, meaning in (
            ("requeue", "give dead and cancelled runs a new life"),
            ("cancel", "stop runs that have not started"),
        ):
            act = verbs.add_parser(verb, help=meaning)
            act.add_argument("ids", nargs="*", metavar="id")
            _filters(act)
            act.add_argument("--all", action="store_true", help="without any filter")
            act.add_argument("--dry-run", action="store_true", help="only count")
        for command in verbs.choices.values():
            command.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        try:
            getattr(self, f"_{options['verb']}")(options)
        except UnknownRun as error:
            raise CommandError(str(error)) from error

    def _print(self, options: dict[str, Any], values: Any, text: str) -> None:
        self.stdout.write(json.dumps(values, default=str) if options["json"] else text)

    def _runs(self, options: dict[str, Any]) -> None:
        found = monitoring.runs(limit=options["limit"], **_given(options))
        lines = [
            f"{run.id}  {run.state:<9}  {run.attempt:>3}  {run.actor_name}  {run.error}"
            for run in found
        ]
        head = f"{'id':<36}  {'state':<9}  try  actor"
        values = [run.asdict() for run in found]
        self._print(options, values, "\n".join([head, *lines]))

    def _show(self, options: dict[str, Any]) -> None:
        run = monitoring.run(options["id"])
        values = run.asdict()
        attempts = values.pop("attempts")
        lines = [f"{name:<12} {value}" for name, value in values.items()]
        for attempt in attempts:
            lines.append(f"\nattempt {attempt['number']}: {attempt['outcome']}")
            lines.append(attempt["traceback"] or attempt["error"])
        self._print(options, asdict(run), "\n".join(lines))

    def _requeue(self, options: dict[str, Any]) -> None:
        self._act(options, control.requeue, control.requeue_all)

    def _cancel(self, options: dict[str, Any]) -> None:
        self._act(options, control.cancel, control.cancel_all)

    def _act(self, options: dict[str, Any], by_id: Any, by_filter: Any) -> None:
        filters = _given(options)
        if bool(options["ids"]) == bool(filters or options["all"]):
            raise CommandError("Give ids, or a filter (--state dead), or --all.")
        if options["dry_run"]:
            ids = options["ids"]
            count = len(ids) if ids else control.count(options["verb"], **filters)
            self._print(options, {"would_change": count}, f"Would change {count} runs.")
            return
        count = by_id(options["ids"]) if options["ids"] else by_filter(**filters)
        self._print(options, {"changed": count}, f"Changed {count} runs.")


def _filters(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=State.values)
    parser.add_argument("--actor", dest="actor_name")
    parser.add_argument("--queue", dest="queue_name")
    parser.add_argument("--broker")


def _given(options: dict[str, Any]) -> dict[str, str]:
    return {
        name: options[name] for name in monitoring.FILTERS if options[name] is not None
    }
