"""manage.py tasks schedules import: take over what Celery Beat fires so far."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from core import control
from core.counted import counted
from core.management.tasks_verbs.acting import user
from core.management.tasks_verbs.verb import Answer, Options, Verb
from core.schedules import Comparison, Foreign, Plan, plan
from core.triggers import zone

#: SCHEDULE_IMPORTER, unless the setting is there.
IMPORTER = "backends.celery.importing.find"
#: Changed fires that are shown.
SHOWN = 4


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--beat-schedule",
        default="",
        metavar="PATH",
        help="a Celery app, as proj.celery:app, or a dict, as proj.conf:BEAT_SCHEDULE",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show the changes")


def _import(options: Options) -> Answer:
    path = options["beat_schedule"]
    plans = plan(_importer()(path))
    if not plans:
        raise CommandError(
            "Found nothing: no database has rows of django-celery-beat; name Celery's"
            " beat_schedule with --beat-schedule proj.celery:app."
        )
    if not options["dry_run"]:
        source = path or "django-celery-beat"
        control.import_schedules(plans, source=source, by=user())
    lines = [line for one in plans for line in _told(one)]
    lines.append(_total(plans, dry_run=options["dry_run"]))
    return Answer([one.asdict() for one in plans], "\n".join(lines))


def _importer() -> Callable[[str], list[Foreign]]:
    path = getattr(settings, "SCHEDULE_IMPORTER", IMPORTER)
    if not path:
        raise CommandError(f"SCHEDULE_IMPORTER is empty; set it to {IMPORTER!r}.")
    found: Callable[[str], list[Foreign]] = import_string(path)
    return found


def _told(one: Plan) -> Iterator[str]:
    yield f"{one.name} -> {one.actor_name}"
    if one.status == "refused":
        yield f"    refused: {one.why}"
    elif one.status == "there":
        yield "    left as it is: there is a schedule of this name"
    else:
        yield f"    {one.trigger}{', paused' if one.paused else ''}"
        yield f"    {one.rule}"
        if one.comparison is not None:
            yield f"    {_changes(one.comparison, one.zone)}"
    for note in one.notes:
        yield f"    note: {note}"


def _changes(found: Comparison, tz: str) -> str:
    if found.is_same:
        return "fires as before"
    changes = [
        *((fire, "no more") for fire in found.only_there),
        *((fire, "new") for fire in found.only_here),
    ]
    told = [f"{_wall(fire, tz)} {what}" for fire, what in sorted(changes)[:SHOWN]]
    more = len(changes) - SHOWN
    return f"CHANGES: {', '.join(told)}{f' and {more} more' if more > 0 else ''}"


def _wall(fire: datetime, tz: str) -> str:
    return f"{fire.astimezone(zone(tz)):%Y-%m-%d %H:%M:%S %Z}"


def _total(plans: list[Plan], *, dry_run: bool) -> str:
    new = [one for one in plans if one.status == "new"]
    changed = sum(bool(one.comparison and not one.comparison.is_same) for one in new)
    refused = sum(one.status == "refused" for one in plans)
    verb = "Would import" if dry_run else "Imported"
    after = "" if dry_run else " Stop Celery's own Beat now: it still fires them."
    return (
        f"{verb} {len(new)} of {counted(len(plans), 'schedule')};"
        f" fires of {changed} change; {refused} are refused.{after}"
    )


IMPORT = Verb(
    "import", "import from beat_schedule or django-celery-beat", _import, _declare
)
