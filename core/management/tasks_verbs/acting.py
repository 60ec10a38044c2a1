"""manage.py tasks requeue|cancel|pause|resume|purge|prune: verbs that change rows."""

import os
import pwd
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from core import control
from core.management.tasks_verbs.filters import add_filters, given
from core.management.tasks_verbs.verb import (
    Answer,
    Options,
    Verb,
    add_broker,
    known,
)


def _declare_act(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="id")
    add_filters(parser)
    parser.add_argument("--all", action="store_true", help="without any filter")
    parser.add_argument("--dry-run", action="store_true", help="only count")


def _act(by_id: Any, by_filter: Any, options: Options) -> Answer:
    filters = given(options)
    if bool(options["ids"]) == bool(filters or options["all"]):
        raise CommandError("Give ids, or a filter (--state dead), or --all.")
    if options["dry_run"]:
        ids = options["ids"]
        count = len(ids) if ids else control.count(options["verb"], **filters)
        return Answer({"would_change": count}, f"Would change {count} runs.")
    if options["ids"]:
        count = by_id(options["ids"], by=user())
    else:
        count = by_filter(by=user(), **filters)
    return Answer({"changed": count}, f"Changed {count} runs.")


def user() -> str:
    """Return who runs the command; not what LOGNAME says, which anyone can set."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        name = f"uid {os.getuid()}"
    return f"command line: {name}"


def _declare_prune(parser: ArgumentParser) -> None:
    parser.add_argument("--broker", default="")
    parser.add_argument("--dry-run", action="store_true", help="only count")


def _prune(options: Options) -> Answer:
    if options["dry_run"]:
        counts = control.prunable(options["broker"])
    else:
        counts = control.prune(options["broker"], by=user())
    verb = "Would delete" if options["dry_run"] else "Deleted"
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return Answer(counts, f"{verb} {told or 'nothing'}.")


def _declare_queue(parser: ArgumentParser) -> None:
    parser.add_argument("queue")
    add_broker(parser)


def _hold(act: Callable[..., int], done: str, options: Options) -> Answer:
    changed = act(options["queue"], broker=known(options), by=user())
    was = f"{options['queue']} was {done} already"
    said = f"{done.capitalize()} {options['queue']} on {changed} brokers."
    return Answer({"changed": changed}, said if changed else f"{was}.")


def _declare_purge(parser: ArgumentParser) -> None:
    _declare_queue(parser)
    parser.add_argument("--dry-run", action="store_true", help="only count")


def _purge(options: Options) -> Answer:
    queue, broker = options["queue"], known(options)
    if options["dry_run"]:
        found = control.purgeable(queue, broker=broker)
    else:
        found = control.purge(queue, broker=broker, by=user())
    verb = "Would cancel" if options["dry_run"] else "Cancelled"
    text = f"{verb} {found.cancelled} runs; {found.at_broker} messages at the broker."
    return Answer(asdict(found), text)


VERBS = (
    Verb(
        "requeue",
        "give dead and cancelled runs a new life",
        partial(_act, control.requeue, control.requeue_all),
        _declare_act,
    ),
    Verb(
        "cancel",
        "stop runs that have not started",
        partial(_act, control.cancel, control.cancel_all),
        _declare_act,
    ),
    Verb(
        "pause",
        "let nothing of a queue start",
        partial(_hold, control.pause, "paused"),
        _declare_queue,
    ),
    Verb(
        "resume",
        "let a paused queue go on",
        partial(_hold, control.resume, "resumed"),
        _declare_queue,
    ),
    Verb(
        "purge",
        "cancel all of a queue that has not started",
        _purge,
        _declare_purge,
    ),
    Verb("prune", "delete what RETENTION keeps no longer", _prune, _declare_prune),
)
