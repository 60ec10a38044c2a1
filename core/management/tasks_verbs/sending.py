"""manage.py tasks send: a message to an actor, by its name."""

from argparse import ArgumentParser
from difflib import get_close_matches
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from core import control
from core.management.tasks_verbs.acting import user
from core.management.tasks_verbs.verb import Answer, Options, Verb, json_value
from core.registry import registry


def _declare(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="the actor's name, as in `tasks actors`")
    values: dict[str, tuple[type[Any], str]] = {
        "args": (list, "positional arguments, as a JSON list"),
        "kwargs": (dict, "arguments by name, as a JSON object"),
        "options": (dict, 'options of the send, as {"priority": -10, "delay": 60000}'),
    }
    for name, (kind, text) in values.items():
        parser.add_argument(
            f"--{name}",
            dest=f"sent_{name}",  # Django's own commands mean something else by `args`
            type=partial(json_value, kind),
            default=kind(),
            help=text,
        )


def _send(options: Options) -> Answer:
    name = options["name"]
    if name not in registry:
        known = sorted(actor.actor_name for actor in registry)
        close = get_close_matches(name, known, n=1) or known[:1]
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise CommandError(f"No actor is named {name!r}.{hint}")
    given = [options[f"sent_{part}"] for part in ("args", "kwargs", "options")]
    message = control.send(name, *given, by=user())
    said = "Sent" if message.created else "Sent before, under the same key:"
    values = {"id": message.message_id, "created": message.created}
    return Answer(values, f"{said} {name} {message.message_id}")


VERBS = (Verb("send", "send a message to an actor", _send, _declare),)
