"""manage.py tasks runs|show|explain|audit: runs, one of them, and what people did."""

from argparse import ArgumentParser
from collections.abc import Mapping

from django.core.management.base import CommandError

from core import monitoring
from core.management.tasks_verbs.filters import add_filters, given
from core.management.tasks_verbs.verb import (
    Answer,
    Options,
    Verb,
    known,
    positive,
    table,
)
from core.monitoring import Explanation, RunningSnapshot, RunSnapshot
from core.monitoring.words import seconds
from core.registry import registry


def _declare_runs(parser: ArgumentParser) -> None:
    add_filters(parser)
    parser.add_argument("--limit", type=positive, default=50)


def _runs(options: Options) -> Answer:
    filters = given(options)
    if "broker" in filters:
        known(options)
    found = monitoring.runs(limit=options["limit"], **filters)
    rows = [
        [
            one.id,
            f"{one.created_at:%Y-%m-%d %H:%M:%S}",
            one.state,
            one.attempt,
            one.queue_name,
            one.actor_name,
            "" if one.state == "succeeded" else one.error.partition("\n")[0],
        ]
        for one in found
    ]
    text = table(_RUN_HEADS, rows) if rows else _none(filters)
    return Answer([run.asdict() for run in found], text)


_RUN_HEADS = ("id", "created, UTC", "state", "try", "queue", "actor", "error")


def _none(filters: Mapping[str, str]) -> str:
    """Tell that there is nothing, and of a name that nobody has declared."""
    actor = filters.get("actor_name")
    is_strange = actor is not None and actor not in registry
    more = f" No actor is named {actor!r}." if is_strange else ""
    return f"No run matches.{more}"


def _declare_show(parser: ArgumentParser) -> None:
    parser.add_argument("id", help="the run's id, or at least its first 8 digits")


def whole(start: str) -> str:
    """Return the id that begins so, if just one does; else what was given."""
    ids = monitoring.ids(start)
    if len(ids) > 1:
        raise CommandError(f"{start!r} begins several ids; write more of it.")
    return ids[0] if ids else start


def _show(options: Options) -> Answer:
    run = monitoring.run(whole(options["id"]))
    return Answer(run.asdict(), described(run))


def described(run: RunSnapshot) -> str:
    """Return all that is known of a run."""
    return "\n".join([*_values(run), *_parts(run)])


def _values(run: RunSnapshot) -> list[str]:
    values = run.asdict()
    for part in ("attempts", "relatives", "timeline"):
        del values[part]
    return [f"{name:<12} {value}" for name, value in values.items()]


def _parts(run: RunSnapshot) -> list[str]:
    lines = ["", "timeline"]
    for event in run.timeline:
        attempt = f"#{event.attempt}" if event.attempt else ""
        note = event.note.partition("\n")[0]
        what = f"{event.at:%Y-%m-%d %H:%M:%S.%f}  {event.what:<9}  {attempt:>4}  {note}"
        lines.append(what.rstrip())
    if run.relatives:
        lines += ["", "belongs with"]
    for one in run.relatives:
        lines.append(f"{one.relation:<5}  {one.id}  {one.state:<9}  {one.actor_name}")
    for one_try in run.attempts:
        lines += ["", f"attempt {one_try.number}: {one_try.outcome}"]
        lines.append(one_try.traceback or one_try.error)
    return lines


def _explain(options: Options) -> Answer:
    told = monitoring.explain(whole(options["id"]))
    return Answer(told.asdict(), explained(told))


def explained(told: Explanation) -> str:
    """Return the reasons why a run has not started."""
    lines = [f"{told.actor_name} {told.id} on {told.broker} is {told.state}."]
    for reason in told.reasons:
        lines.append(f"- {reason.text}")
        lines += [f"    {run}" for run in reason.runs]
    return "\n".join(lines)


def in_hand(run: RunningSnapshot) -> str:
    """Return what a worker runs, and for how long."""
    taken = f"attempt {run.attempt}, {seconds(run.seconds)}"
    return f"{run.id}  {run.actor_name}  {taken}"


def _declare_audit(parser: ArgumentParser) -> None:
    parser.add_argument("--by", default="", help="part of the operator's name")
    parser.add_argument("--verb", default="", help="such as requeue_all", dest="done")
    parser.add_argument("--limit", type=positive, default=50)


def _audit(options: Options) -> Answer:
    found = monitoring.audit(options["limit"], by=options["by"], verb=options["done"])
    rows = [
        [f"{one.at:%Y-%m-%d %H:%M:%S}", one.by, one.verb, one.changed, one.target]
        for one in found
    ]
    heads = ("when, UTC", "who", "did", "changed", "of")
    text = table(heads, rows) if rows else "Nobody has done anything."
    return Answer([one.asdict() for one in found], text)


VERBS = (
    Verb("audit", "actions of operators", _audit, _declare_audit),
    Verb("explain", "why a run has not started", _explain, _declare_show),
    Verb("runs", "the newest runs", _runs, _declare_runs),
    Verb("show", "one run: its attempts and its timeline", _show, _declare_show),
)
