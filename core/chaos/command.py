"""The command `manage.py tasks chaos`: its questions, refusals and output."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from core.chaos.faults import FAULTS
from core.chaos.performance import patience, perform
from core.chaos.proof import table
from core.chaos.stage import Stage

Write = Callable[[str], object]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--minutes", type=_positive, default=5.0, help="duration; 5")
    parser.add_argument("--broker", default="default", help="alias in BROKERS")
    parser.add_argument("--queue", default="default", help="queue of the canaries")
    parser.add_argument(
        "--rate", type=_positive, default=10.0, help="canaries a second; 10"
    )
    parser.add_argument(
        "--within",
        type=_positive,
        help="seconds to wait for the last canaries; default: from TIMING",
    )
    parser.add_argument(
        "--lose-direct",
        action="store_true",
        help="purge the queue even if actors with durable=False use it",
    )
    parser.add_argument(
        "--yes-this-is-staging",
        action="store_true",
        help="confirm that workers may be killed; required unless DEBUG",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print the plan")


def handle(options: dict[str, Any], write: Write) -> None:
    """Tell the plan, do it, print the proof; raise `CommandError` if it fails."""
    stage = Stage(
        options["broker"], options["queue"], options["rate"], options["lose_direct"]
    )
    plan = _plan(stage, options)
    as_json = options["json"]
    if options["dry_run"]:
        write(json.dumps(plan) if as_json else _told(plan))
        return
    _check(stage, allowed=options["yes_this_is_staging"])
    if not as_json:
        write(_told(plan) + "\n")
    proof = perform(
        stage,
        options["minutes"] * 60,
        plan["within_s"],
        (lambda line: None) if as_json else write,
    )
    write(json.dumps(proof.asdict()) if as_json else "\n".join(["", *proof.lines()]))
    if proof.problems:
        # The marks stay, to be looked at.
        raise CommandError(proof.verdict)
    stage.marks().delete()


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def _plan(stage: Stage, options: dict[str, Any]) -> dict[str, Any]:
    broker, victims = stage.broker, stage.here()
    names = [victim.worker.name for victim in victims]
    obstacles = {fault.id: fault.obstacle(stage) for fault in FAULTS}
    return {
        "broker": broker.alias,
        "engine": broker.backend.engine,
        "minutes": options["minutes"],
        "rate": options["rate"],
        "within_s": options["within"] or patience(broker.timing),
        "workers": [worker.name for worker in stage.workers()],
        "workers_to_hurt": names,
        "queue_to_purge": broker.sender.physical(stage.queue),
        "its_direct_actors": stage.direct_actors(),
        "other_runs_open": stage.others(),
        "other_runs_in_the_queue": stage.others(queue_name=stage.queue),
        "other_runs_in_hand": stage.others(worker__in=names),
        "faults": {f.id: f.title for f in FAULTS if not obstacles[f.id]},
        "not_done": {name: why for name, why in obstacles.items() if why},
    }


def _told(plan: dict[str, Any]) -> str:
    lines = [*table(plan, 24, 0), "", _WARNING, ""]
    lines += [f"{name:<4} {title}" for name, title in plan["faults"].items()]
    lines += [f"{name:<4} not done: {why}" for name, why in plan["not_done"].items()]
    return "\n".join(lines)


_WARNING = "Other runs come back as the canaries do; what is not atomic may run twice."


def _check(stage: Stage, *, allowed: bool) -> None:
    """Raise `CommandError` where nothing may or can be hurt."""
    if not (allowed or settings.DEBUG):
        raise CommandError(
            "This kills workers and purges a queue. Look at what it would do with"
            " --dry-run; then, if this is no production, give --yes-this-is-staging."
        )
    if not stage.workers():
        raise CommandError(
            f"No worker of broker {stage.broker.alias!r} serves the queue"
            f" {stage.queue!r}: start `manage.py worker`, or give another --queue."
        )
