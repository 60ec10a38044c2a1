"""manage.py tasks alerts: the rules and how they stand; test NAME tries the way."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime

from django.core.management.base import CommandError

from core import alerts
from core.alerts import AlertSnapshot
from core.errors import AlertConfigError
from core.management.tasks_verbs.verb import Answer, Options, Verb, table

NO_RULE = "There is no rule: set ADMINS, or ALERTS; or make one in the admin."
_HEADS = ("rule", "when", "state", "since", "last sent", "to", "late", "says")


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("do", nargs="?", choices=["test"], help="send a test message")
    parser.add_argument("name", nargs="?", help="the rule whose receivers get it")


def _alerts(options: Options) -> Answer:
    if options["do"]:
        return _test(options["name"])
    found = alerts.alerts()
    wrong = alerts.errors()
    values = {"alerts": [one.asdict() for one in found], "errors": wrong}
    lines = [table(_HEADS, list(map(_row, found)))] if found else [NO_RULE]
    return Answer(values, "\n".join([*lines, *wrong]), not wrong)


def _row(one: AlertSnapshot) -> list[object]:
    to = ",".join(one.to)
    moments = [_moment(one.since), _moment(one.last_sent)]
    return [one.rule, one.when, one.state, *moments, to, one.undelivered, one.says]


def _moment(value: datetime | None) -> str:
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def _test(name: str | None) -> Answer:
    if not name:
        raise CommandError("Say which rule: tasks alerts test NAME.")
    try:
        answers = alerts.try_out(name)
    except AlertConfigError as error:
        raise CommandError(str(error)) from error
    lines = [
        f"{'ok  ' if answer.ok else 'BAD '} {receiver}: {answer.text}"
        for receiver, answer in answers.items()
    ]
    values = {receiver: asdict(answer) for receiver, answer in answers.items()}
    ok = bool(answers) and all(answer.ok for answer in answers.values())
    return Answer(values, "\n".join(lines), ok)


VERBS = (Verb("alerts", "alert rules and their states; test NAME", _alerts, _declare),)
