"""The demo from its start to its end; the exit status says whether it held."""

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import django
from django.core.management import call_command

from project.demo.mailbox import Mailbox
from project.demo.processes import Shop, free_port
from project.embedded import embedded_valkey

#: Each with what keeps the time beside it.
ENGINES = {"celery": "beat", "dramatiq": "apscheduler", "database": "beat"}
PASSWORD = "switchyard"  # noqa: S105  # of a shop on this machine, shown on the screen
VAR = Path(__file__).resolve().parents[2] / "var"


def main() -> int:
    """Run the demo; return 0 only if every figure is as it must be."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--exit", action="store_true", help="stop after the table")
    parser.add_argument("--picture", help="save the table as SVG, for the README")
    given = parser.parse_args()
    stay = sys.stdout.isatty() and not given.exit
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with _surroundings() as mailbox:
            return _run(mailbox, stay, given.picture)
    except KeyboardInterrupt:
        return 130


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _surroundings() -> Iterator[Mailbox]:
    """Have a broker, a mail server and a database with a shop in it."""
    mailbox = Mailbox()
    with contextlib.ExitStack() as stack:
        if "BROKER_URL" not in os.environ:
            stack.enter_context(embedded_valkey(VAR))
        os.environ["DJANGO_SETTINGS_MODULE"] = "settings.dev"
        os.environ["EMAIL_URL"] = mailbox.start()
        stack.callback(mailbox.stop)
        django.setup()
        call_command("migrate", verbosity=0)
        # What it says is for who has typed it; the addresses tell of the password.
        call_command("seed_shop", admin_password=PASSWORD, stdout=io.StringIO())
        yield mailbox


def _run(mailbox: Mailbox, stay: bool, picture: str | None) -> int:
    # They need the apps that _surroundings has just set up.
    from core import monitoring  # noqa: PLC0415  # above
    from project.demo import customers, orders, report, show  # noqa: PLC0415  # above

    rows, wrong = {}, []
    for engine in ENGINES:
        lines = orders.prepare()
        with _shop(engine, free_port()) as shop, show.progress(engine, 20) as bar:
            started = time.monotonic()
            placed = customers.place(shop.url, engine, lines)
            customers.follow(shop.url, placed, bar)
            seconds = time.monotonic() - started
        rows[engine] = report.read(placed, mailbox, seconds)
        must = orders.expected(lines, mailbox, engine)
        wrong += [f"{engine}: {line}" for line in rows[engine].differences(must)]
    show.console.print(show.table(rows))
    if picture:
        show.save(picture)
    show.reports(rows)
    show.schedules(monitoring.schedules())
    for line in wrong:
        show.console.print(f"[red]Not as it must be: {line}[/red]")
    if stay and not wrong:
        _serve(show.console.print)
    return 1 if wrong else 0


@contextlib.contextmanager
def _shop(engine: str, port: int) -> Iterator[Shop]:
    environment = {"TASK_BACKEND": engine, "TASK_SCHEDULER": ENGINES[engine]}
    shop = Shop(environment, port, VAR / "demo" / engine)
    try:
        shop.start(scheduler=True)
        yield shop
    finally:
        shop.stop()


def _serve(say: Callable[[str], None]) -> None:
    with _shop("celery", free_port()) as shop:
        say(f"\nThe shop:  {shop.url}/\nThe admin: {shop.url}/admin/core/run/")
        say(f"Log in as admin with the password {PASSWORD}. Ctrl-C stops everything.")
        threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
