"""manage.py tasks requeue|cancel|pause|resume|purge|prune: verbs that change rows."""

import os
import pwd
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial

from django.core.management.base import CommandError

from core import control
from core.counted import counted
from core.management.tasks_verbs.filters import add_filters, given
from core.management.tasks_verbs.verb import (
    Answer,
    Options,
    Verb,
    add_broker,
    json_value,
    known,
)

#: A verb of `core.control` on runs by their ids.
Act = Callable[..., int]


def _declare_act(parser: ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="id")
    add_filters(parser)
    parser.add_argument("--all", action="store_true", help="all runs, without a filter")
    parser.add_argument("--dry-run", action="store_true", help="only count")


def _declare_requeue(parser: ArgumentParser) -> None:
    _declare_act(parser)
    parser.add_argument(
        "--args",
        dest="new_args",  # Django's own commands mean something else by `args`
        type=partial(json_value, list),
        help="for one run: new positional arguments, as a JSON list",
    )
    parser.add_argument(
        "--kwargs",
        dest="new_kwargs",
        type=partial(json_value, dict),
        help="for one run: arguments to replace, as a JSON object; others stay",
    )


def _requeue(options: Options) -> Answer:
    asked = {"args": options["new_args"], "kwargs": options["new_kwargs"]}
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        return _act(control.requeue, control.requeue_all, options)
    if len(options["ids"]) != 1 or given(options) or options["all"]:
        raise CommandError("--args and --kwargs change one run: give its id alone.")
    if options["dry_run"]:
        control.amended(options["ids"][0], **changes)

    def change(ids: Sequence[str], *, by: str) -> int:
        return int(control.requeue_with(ids[0], by=by, **changes))

    return _act_on_ids(change, options)


def _act(by_id: Act, by_filter: Callable[..., int], options: Options) -> Answer:
    filters = given(options)
    if [bool(options["ids"]), bool(filters), options["all"]].count(True) != 1:
        raise CommandError("Give ids, or a filter (--state dead), or --all.")
    if options["ids"]:
        return _act_on_ids(by_id, options)
    if options["dry_run"]:
        return _told(control.count(options["verb"], **filters), {}, dry=True)
    return _told(by_filter(by=user(), **filters), {})


def _act_on_ids(act: Act, options: Options) -> Answer:
    ids = list(dict.fromkeys(options["ids"]))
    left = control.refused(options["verb"], ids)
    if options["dry_run"]:
        return _told(len(ids) - len(left), left, dry=True)
    return _told(act(ids, by=user()), left)


def _told(count: int, left: dict[str, str], *, dry: bool = False) -> Answer:
    """Tell what was changed; what was named and left alone makes it a failure."""
    said = "Would change" if dry else "Changed"
    values = {"would_change" if dry else "changed": count, "refused": left}
    lines = [
        f"{said} {counted(count, 'run')}.",
        *(f"{key} {why}." for key, why in left.items()),
    ]
    return Answer(values, "\n".join(lines), ok=not left)


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
    said = f"{done.capitalize()} {options['queue']} on {counted(changed, 'broker')}."
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
    text = (
        f"{verb} {counted(found.cancelled, 'run')};"
        f" {counted(found.at_broker, 'message')} at the broker."
    )
    return Answer(asdict(found), text)


VERBS = (
    Verb(
        "requeue",
        "run dead and cancelled runs again",
        _requeue,
        _declare_requeue,
    ),
    Verb(
        "cancel",
        "cancel waiting runs and interrupt running ones",
        partial(_act, control.cancel, control.cancel_all),
        _declare_act,
    ),
    Verb(
        "pause",
        "pause a queue: none of its runs start",
        partial(_hold, control.pause, "paused"),
        _declare_queue,
    ),
    Verb(
        "resume",
        "resume a paused queue",
        partial(_hold, control.resume, "resumed"),
        _declare_queue,
    ),
    Verb(
        "purge",
        "cancel all waiting runs of a queue",
        _purge,
        _declare_purge,
    ),
    Verb("prune", "delete rows past their RETENTION", _prune, _declare_prune),
)
