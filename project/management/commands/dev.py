"""manage.py dev: web, worker, scheduler and embedded broker in one terminal."""

import contextlib
import os
import shlex
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from honcho.manager import Manager

from project.embedded import embedded_valkey
from settings.brokers import needs_broker

#: Watched besides the installed apps: a change restarts worker and scheduler.
WATCHED = ("backends", "project", "settings")
#: What pip has installed does not change.
PACKAGES = {"site-packages", "dist-packages"}


class Command(BaseCommand):
    """Starts all that a developer needs; Ctrl-C stops all of it."""

    help = (
        "Run the web server, a worker, a scheduler and, unless BROKER_URL is set, a"
        " broker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C or until one of the processes ends."""
        call_command("migrate", verbosity=0)
        with contextlib.ExitStack() as stack:
            if _needs_broker():
                stack.enter_context(embedded_valkey(settings.VAR))
            manager = Manager()
            for name, command in _commands(options["port"]).items():
                manager.add_process(name, shlex.join(command), cwd=settings.BASE_DIR)
            port = options["port"]
            self.stdout.write(
                f"The shop: http://127.0.0.1:{port}/   the admin: /admin/, for whom"
                " manage.py seed_shop --admin-password ... lets in"
            )
            manager.loop()
        sys.exit(manager.returncode)


def _needs_broker() -> bool:
    return "BROKER_URL" not in os.environ and needs_broker(settings.TASK_BACKEND)


def watched() -> list[str]:
    """Return the folders of the code that a developer changes."""
    installed = {Path(app.path) for app in apps.get_app_configs()}
    own = {folder for folder in installed if not PACKAGES & {*folder.parts}}
    return sorted(map(str, own | {settings.BASE_DIR / name for name in WATCHED}))


def _commands(port: int) -> dict[str, list[str]]:
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    watch = [sys.executable, "-m", "watchfiles", "--filter", "python"]
    watch += ["--verbosity", "warning"]
    return {
        "web": [*manage, "runserver", f"127.0.0.1:{port}"],
        "worker": [*watch, shlex.join([*manage, "worker"]), *watched()],
        "scheduler": [*watch, shlex.join([*manage, "scheduler"]), *watched()],
    }
