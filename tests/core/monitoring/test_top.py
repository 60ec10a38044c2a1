"""manage.py tasks top: what it says, and what its keys do."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from select import select
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from core import control, monitoring
from core.management.top.app import Top
from core.management.top.screens import Question, Reading
from core.management.top.text import FINE
from core.models import Run, State
from core.testing import drain, rehearsing
from tests.core.monitoring.figures import ALIAS, breaks, works
from tests.core.test_runs import make
from tests.core.verbs import tasks, told
from tests.services.waiting import PATIENCE, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_one")]

PROJECT = Path(__file__).parents[3]

Steps = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture
def _one(settings: Any) -> Iterator[None]:
    """One alias that needs no worker, with a dead run, and one that waits."""
    settings.BROKERS = {"default": settings.BROKERS["default"]}
    with rehearsing():
        breaks.send()
        drain()
        works.send()
        yield


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something on the page."""
    async with asyncio.timeout(30 * PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


def on_page(steps: Steps, every: float = 0.5) -> None:
    """Open the page and take these steps."""

    async def run() -> None:
        app = Top("", every)
        async with app.run_test(size=(120, 50)) as pilot:
            await until(lambda: app.query_one("#errors", DataTable).row_count > 0)
            await steps(pilot)

    asyncio.run(run())


def words(pilot: Pilot[None], name: str) -> str:
    """Return what a part of the screen that is in front says."""
    found = pilot.app.screen.query(name)
    return str(found.first(Static).render()) if found else ""


def move_to(pilot: Pilot[None], name: str, value: str) -> None:
    """Put the cursor on the row with this value."""
    table = pilot.app.query_one(f"#{name}", DataTable)
    table.focus()
    column = {"queues": 0, "errors": 3}[name]
    values = [str(table.get_row_at(n)[column]) for n in range(table.row_count)]
    table.move_cursor(row=values.index(value))


def test_wrong_things_come_first_with_the_commands_that_end_them() -> None:
    control.pause("default", by="ann")
    said = tasks("top").partition("broker  ")[0]
    dead = f"! {breaks.actor_name} in brittle of {ALIAS}: 1 run died in 1h"
    requeue = f"requeue --state dead --actor {breaks.actor_name} --broker {ALIAS}"
    assert dead in said
    assert f"    manage.py tasks {requeue} --dry-run" in said
    assert f"! queue default of {ALIAS}: 1 run waits, paused by ann" in said
    assert f"    manage.py tasks resume default --broker {ALIAS}" in said


def test_json_output_has_everything() -> None:
    found = told("top")
    assert {"brittle", "default"} <= {one["name"] for one in found["queues"]}
    assert [one["actor_name"] for one in found["errors"]] == [breaks.actor_name]
    assert found["brokers"][0]["up"]
    assert found["wrong"][0]["says"].endswith("1 run died in 1h")


@pytest.mark.parametrize("seconds", ["0.4", "3601", "-1", "nan", "often"])
def test_bad_rate_is_refused(seconds: str) -> None:
    with pytest.raises(CommandError, match=r"must be 0\.5 to 3600 seconds"):
        tasks("top", f"--every={seconds}")


def test_page_shows_what_the_text_says() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert f"{breaks.actor_name} in brittle" in words(pilot, "#wrong")
        assert "1 wait" in words(pilot, "#head")
        table = pilot.app.query_one("#errors", DataTable)
        assert breaks.actor_name in map(str, table.get_row_at(0))

    on_page(steps)


def is_held(pilot: Pilot[None], wanted: bool) -> bool:
    front = not isinstance(pilot.app.screen, Question)
    return front and ("paused by" in words(pilot, "#wrong")) is wanted


def test_queue_is_paused_after_a_yes_and_resumed() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        move_to(pilot, "queues", "default")
        for answer, held in (("n", False), ("y", True), ("y", False)):
            await pilot.press("p")
            await until(lambda: isinstance(pilot.app.screen, Question))
            await pilot.press(answer)
            await until(partial(is_held, pilot, held))

    on_page(steps)
    verbs = [one.verb for one in monitoring.audit(10)]
    assert verbs == ["resume", "pause"]


def test_dead_runs_of_the_actor_are_requeued_after_a_yes() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        move_to(pilot, "errors", breaks.actor_name)
        await pilot.press("r")
        await until(lambda: isinstance(pilot.app.screen, Question))
        question = words(pilot, ".box")
        assert question == f"Requeue 1 dead run of {breaks.actor_name}?  y/n"
        await pilot.press("y")
        await until(lambda: "2 wait" in words(pilot, "#head"))

    on_page(steps)
    assert Run.objects.get(actor_name=breaks.actor_name).state == State.PENDING
    assert [one.verb for one in monitoring.audit(10)] == ["requeue_all"]


#: A table, a value of the row, and what is said of it.
WHY = [
    ("queues", "default", f"{works.actor_name} "),
    ("queues", "brittle", "Nothing waits in brittle of default."),
    ("errors", breaks.actor_name, "RuntimeError: the boiler is cold"),
]


@pytest.mark.parametrize(("table", "value", "says"), WHY)
def test_row_is_explained(table: str, value: str, says: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        move_to(pilot, table, value)
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, Reading))
        assert says in words(pilot, ".box Static")
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, Reading))

    on_page(steps)


def test_page_outlives_the_database_and_looks_again() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await asyncio.to_thread(rename, "core_pause", "gone")
        await until(lambda: "Cannot look: " in words(pilot, "#head"))
        await asyncio.to_thread(rename, "gone", "core_pause")
        await until(lambda: "1 wait" in words(pilot, "#head"))

    on_page(steps)


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")
    connection.close()


def test_page_opens_in_a_terminal_and_ends_with_q(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "TASK_BACKEND": "inprocess",
        "DJANGO_SETTINGS_MODULE": "settings.dev",
        "TERM": "xterm-256color",
    }
    manage = [sys.executable, "manage.py"]
    migrate = [*manage, "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=environment, cwd=PROJECT, check=True)
    ours, theirs = os.openpty()
    page = subprocess.Popen(
        [*manage, "tasks", "top"],
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
        env=environment,
        cwd=PROJECT,
    )
    shown = bytearray()

    def is_there() -> bool:
        if select([ours], [], [], 0)[0]:
            shown.extend(os.read(ours, 65536))
        return FINE.encode() in shown

    wait_for(is_there, 30 * PATIENCE, "the page")
    os.write(ours, b"q")

    def has_ended() -> bool:
        is_there()  # or it waits for somebody to read
        return page.poll() is not None

    wait_for(has_ended, 30 * PATIENCE, "the end")
    assert page.returncode == 0


def test_page_goes_on_behind_what_is_open() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        await until(lambda: isinstance(pilot.app.screen, Question))
        await asyncio.to_thread(send_another)
        head = pilot.app.query_one("#head", Static)
        await until(lambda: "2 wait" in str(head.render()))
        assert isinstance(pilot.app.screen, Question)

    on_page(steps)


def send_another() -> None:
    works.send()
    connection.close()


def test_unknown_actor_is_reported_with_the_mend() -> None:
    make(broker=ALIAS)
    drain()
    said = tasks("top")
    assert f"! test.actor on {ALIAS}: 1 run waits, and no worker" in said
    assert "restart the workers with the code that declares it" in said
