"""The reference of the commands, made from the parsers that read them.

python -m tests.core.commands_reference writes docs/reference/commands.md anew.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
HEAD = """# Commands

All are commands of `manage.py` and also take Django's own options (`--settings` and so
on). A verb of `tasks` exits with 1 if it could not do everything, refused a value, or a
check failed; and with 2 if the command line is invalid.
"""
#: Django's own, which every command has.
STOCK = {
    *("help", "version", "verbosity", "settings", "pythonpath", "traceback"),
    *("no_color", "force_color", "skip_checks"),
}


def page() -> str:
    """Return the whole page."""
    from django.core.management import load_command_class  # noqa: PLC0415  # needs the apps

    parts = [HEAD]
    for name in ("worker", "scheduler", "tasks"):
        command = load_command_class("core", name)
        parser = command.create_parser("manage.py", name)
        verbs = _verbs(parser)
        parts.append(f"\n## {name}\n\n{command.help}\n{''.join(_table(parser))}")
        for verb, (text, one) in sorted(verbs.items()):
            parts.append(f"\n### tasks {verb}\n\n{_sentence(text)}\n")
            parts += _table(one)
            for deeper, (words, under) in _verbs(one).items():
                parts.append(f"\n#### tasks {verb} {deeper}\n\n{_sentence(words)}\n")
                parts += _table(under)
    return "".join(parts)


def _verbs(parser: argparse.ArgumentParser) -> dict[str, tuple[str, Any]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            texts = {one.dest: one.help or "" for one in action._choices_actions}
            return {name: (texts[name], one) for name, one in action.choices.items()}
    return {}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _table(parser: argparse.ArgumentParser) -> Iterator[str]:
    rows = [
        f"| `{_name(action)}` | {_default(action)} | {_meaning(action)} |\n"
        for action in parser._actions
        if action.dest not in STOCK
        and action.help != argparse.SUPPRESS
        and not isinstance(action, argparse._SubParsersAction)
    ]
    if rows:
        yield "\n| option | default | meaning |\n| --- | --- | --- |\n"
        yield from rows


def _name(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest).upper()
    value = action.metavar or action.dest.upper().replace("_", "-")
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    option = action.option_strings[-1]
    return option if action.nargs == 0 else f"{option} {value}".replace("|", "\\|")


def _default(action: argparse.Action) -> str:
    is_told = action.default not in (None, "", False, argparse.SUPPRESS)
    return f"`{action.default}`" if is_told and action.option_strings else ""


def _meaning(action: argparse.Action) -> str:
    return (action.help or "") % {"default": action.default}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.dev")
    django.setup()
    PAGE.write_text(page())
