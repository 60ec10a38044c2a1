"""manage.py tasks schedules: what fires when; pause, resume, run now."""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from core import control, monitoring, schedules
from core.counted import counted
from core.interface.declarations import declared
from core.management.tasks_verbs.acting import user
from core.management.tasks_verbs.importing import IMPORT
from core.management.tasks_verbs.verb import (
    Answer,
    Options,
    Verb,
    positive,
    table,
)
from core.monitoring import ScheduleSnapshot
from core.monitoring.words import seconds
from core.triggers import zone

#: `next` shows no more.
MOST = 1000
_HEADS = ("schedule", "rule", "zone", "last fire", "late", "next fire", "")


def _declare_list(parser: ArgumentParser) -> None:
    parser.add_argument("--retired", action="store_true", help="include retired ones")


def _list(options: Options) -> Answer:
    found = monitoring.schedules(retired=options.get("retired", False))
    rows = [
        [
            one.name,
            one.rule.removesuffix(f", {one.zone}"),
            one.zone,
            _shown(one, one.last_slot),
            seconds(one.late),
            _shown(one, one.next_at),
            _notes(one),
        ]
        for one in found
    ]
    text = table(_HEADS, rows) if rows else _none()
    return Answer([one.asdict() for one in found], text)


def _none() -> str:
    names = ", ".join(sorted(declared()))
    if not names:
        return "There are no schedules."
    return f"Nothing fires before `manage.py scheduler` has started. Declared: {names}."


def _shown(one: ScheduleSnapshot, slot: datetime | None) -> str:
    """Return a slot as the clocks of the schedule's zone show it."""
    return "-" if slot is None else _wall(slot.astimezone(zone(one.zone)))


def _wall(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _notes(one: ScheduleSnapshot) -> str:
    notes = [
        one.retired_at and "retired",
        one.paused and "paused",
        one.overdue
        and f"overdue since {_wall(one.overdue)} UTC: does a scheduler run?",
        one.error,
    ]
    return "; ".join(note for note in notes if note)


def _declare_next(parser: ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--count", type=_count, default=10)
    parser.add_argument(
        "--from",
        dest="since",
        type=_moment,
        help="2026-03-28, 2026-03-28T12:00 (in the schedule's zone) or ...T12:00+00:00",
    )


def _count(text: str) -> int:
    number = positive(text)
    if number > MOST:
        raise ArgumentTypeError(f"{text!r} is too many; no more than {MOST}")
    return number


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        example = "write 2026-03-28T12:00 or 2026-03-28T12:00+00:00"
        raise ArgumentTypeError(f"{text!r} is no moment; {example}") from None


def _last_moment(text: str) -> datetime:
    moment = _moment(text)
    is_date = len(text) <= len("2026-03-28")
    return moment + timedelta(days=1, microseconds=-1) if is_date else moment


def _next(options: Options) -> Answer:
    found = monitoring.upcoming(options["name"], options["count"], options["since"])
    rows = [
        [
            f"{one.local:%a} {_wall(one.local)} {one.local:%Z}",
            f"{one.local:%z}",
            _wall(one.utc),
        ]
        for one in found
    ]
    text = table(("in its zone", "offset", "UTC"), rows)
    return Answer(
        [one.asdict() for one in found], text if rows else "It fires no more."
    )


def _declare_pause(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--all", action="store_true", help="all schedules")
    parser.add_argument("--dry-run", action="store_true", help="only list them")


def _pause(options: Options, *, paused: bool) -> Answer:
    if bool(options["names"]) == options["all"]:
        raise CommandError("Give names of schedules, or --all.")
    names = None if options["all"] else options["names"]
    verb = "pause" if paused else "resume"
    if options["dry_run"]:
        found = control.schedules_to_set(names, paused=paused)
        lines = [f"Would {verb} {counted(len(found), 'schedule')}.", *found]
        return Answer({f"would_{verb}": found}, "\n".join(lines))
    act = control.pause_schedules if paused else control.resume_schedules
    count = act(names, by=user())
    text = f"{verb.capitalize()}d {counted(count, 'schedule')}."
    return Answer({"changed": count}, text)


def _declare_run(parser: ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument(
        "--from",
        dest="since",
        type=_moment,
        help="fire the slots that have not fired since this time (format: see `next`)",
    )
    parser.add_argument(
        "--to",
        dest="until",
        type=_last_moment,
        help="last slot, inclusive; a date means its whole day; default: now",
    )
    parser.add_argument("--dry-run", action="store_true", help="only list the slots")


def _run(options: Options) -> Answer:
    if options["since"] is not None:
        return _backfill(options)
    if options["until"] is not None or options["dry_run"]:
        raise CommandError("--to and --dry-run go with --from.")
    message = control.run_schedule(options["name"], by=user())
    sent = {"run": message.message_id, "created": message.created}
    told = "Sent" if message.created else "Sent nothing: another run stands for it,"
    return Answer(sent, f"{told} {message.message_id}.")


def _backfill(options: Options) -> Answer:
    name, since, until = options["name"], options["since"], options["until"]
    if options["dry_run"]:
        slots = schedules.unfired(name, since, until)
        found = dict.fromkeys(slots, "would fire")
    else:
        fires = control.backfill_schedule(name, since, until, by=user())
        found = {fire.slot: fire.reason or fire.state for fire in fires if fire.slot}
    tz = schedules.find(name).when.zone
    rows = [
        [_wall(slot.astimezone(tz)), _wall(slot), what] for slot, what in found.items()
    ]
    text = table(("in its zone", "UTC", ""), rows) if rows else "All have fired."
    return Answer([{"slot": s, "what": what} for s, what in found.items()], text)


WHAT = (
    Verb("list", "all schedules, with their last and next fires", _list, _declare_list),
    Verb(
        "next",
        "the next fires of a schedule, in its zone and UTC",
        _next,
        _declare_next,
    ),
    Verb("run", "run a schedule now, or backfill past slots", _run, _declare_run),
    Verb("pause", "pause schedules", partial(_pause, paused=True), _declare_pause),
    Verb("resume", "resume schedules", partial(_pause, paused=False), _declare_pause),
    IMPORT,
)
_BY_NAME = {verb.name: verb for verb in WHAT}


def _declare(parser: ArgumentParser) -> None:
    subparsers = parser.add_subparsers(dest="what", metavar="what")
    for verb in WHAT:
        declared = subparsers.add_parser(verb.name, help=verb.help)
        verb.declare(declared)
        # No default: it would undo a --json that stands before.
        declared.add_argument(
            "--json", action="store_true", default=SUPPRESS, help="for programs"
        )


def _schedules(options: Options) -> Any:
    return _BY_NAME[options["what"] or "list"].perform(options)


VERBS = (
    Verb("schedules", "list, pause, resume and run schedules", _schedules, _declare),
)
