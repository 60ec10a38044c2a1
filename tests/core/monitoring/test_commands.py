"""manage.py tasks: what each verb prints for people and for programs."""

import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from core import runs
from core.models import Worker
from core.testing import drain, rehearsing
from tests.core.monitoring.figures import ALIAS, breaks, roll_up, works
from tests.core.test_lease import without_workers
from tests.core.verbs import tasks, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _rehearsed() -> Iterator[None]:
    with rehearsing():
        yield


@pytest.fixture
def _some() -> None:
    works.send()
    breaks.send()
    drain()
    roll_up()
    breaks.using(delay=timedelta(hours=1)).send()


#: A verb, and what its JSON and its text must have.
TOLD = [
    (["actors", "--broker", ALIAS], "name", breaks.actor_name),
    (["queues", "--broker", ALIAS], "name", "brittle"),
    (["brokers"], "alias", ALIAS),
    (["errors"], "kind", "RuntimeError"),
    (["runs"], "actor_name", breaks.actor_name),
    (["runs", "--search", "cold"], "error", "RuntimeError: the boiler is cold"),
]


@pytest.mark.usefixtures("_some")
@pytest.mark.parametrize(("line", "key", "value"), TOLD)
def test_verb_speaks_to_programs_and_to_people(
    line: list[str], key: str, value: str
) -> None:
    assert value in [one[key] for one in told(*line)]
    assert value in tasks(*line)


@pytest.mark.usefixtures("_some")
def test_columns_stand_below_each_other() -> None:
    head, *lines = tasks("queues", "--broker", ALIAS).splitlines()
    end = head.index("pending") + len("pending")
    assert {line[end - 1].isdigit() for line in lines} == {True}
    assert {line[end : end + 1] for line in lines} == {" "}
    (brittle,) = [line for line in lines if line.startswith("brittle ")]
    assert brittle.split()[:4] == ["brittle", ALIAS, "1", "0"]


@pytest.mark.usefixtures("_some")
def test_stats_tell_totals_and_points() -> None:
    found = told("stats", "--period", "2h")
    assert (found["runs"], found["dead"], len(found["points"])) != (0, 0, 0)
    assert found["succeeded"] == 1
    assert tasks("stats", "--actor", works.actor_name).splitlines()[2].split()[:3] == [
        "1",
        "1",
        "0",
    ]


def test_show_tells_the_timeline() -> None:
    message = breaks.send()
    drain()
    shown = tasks("show", message.message_id).splitlines()
    timeline = [line.split()[2] for line in shown[shown.index("timeline") + 1 :][:4]]
    assert timeline == ["created", "started", "failed", "dead"]
    events = told("show", message.message_id)["timeline"]
    assert [event["what"] for event in events] == timeline


@pytest.mark.usefixtures("_worker")
def test_workers_are_listed() -> None:
    (found,) = told("workers", "--broker", ALIAS)
    assert (found["alive"], found["host"]) == (True, socket.gethostname())
    assert found["name"] in tasks("workers")


def test_runs_take_every_filter() -> None:
    wanted = breaks.send().message_id
    works.send()
    drain()
    (row,) = told("runs", "--search", wanted[:8])
    line = ["--queue", "brittle", "--worker", row["worker"], "--state", "dead"]
    line += ["--since", "2020-01-01T00:00", "--until", "2100-01-01T00:00:00+00:00"]
    assert [run["id"] for run in told("runs", *line)] == [wanted]
    assert told("runs", "--since", "2100-01-01T00:00") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["runs", "--since", "soon"], "since is 'soon': write 2026-03-01T12:00"),
        (["runs", "--limit", "0"], "--limit"),
        (["runs", "--state", "lost"], "invalid choice: 'lost'"),
        (["queues", "--broker", "nobody"], "'nobody' is not in BROKERS"),
        (["stats", "--period", "soon"], "'soon' is no period; write 30m, 6h or 7d"),
        (["stats", "--period", "0h"], "'0h' is no period"),
        (["stats", "--period", "9999999d"], "no more than 366d"),
        (["health", "--broker", "nobody"], "'nobody' is not in BROKERS"),
        (["stats", "--broker", "nobody"], "'nobody' is not in BROKERS"),
        (["show"], "required: id"),
    ],
)
def test_bad_input_is_refused_by_name(line: list[str], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        tasks(*line)
    assert words in str(caught.value)


def health(*line: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("tasks", "health", *line, "--json", stdout=out)
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.mark.usefixtures("_worker")
def test_live_worker_passes_with_one_query() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert health("--liveness")[0] == 0
    assert len(queries) == 1


@pytest.mark.usefixtures("_worker")
def test_worker_without_its_lease_does_not_pass() -> None:
    Worker.objects.update(lease_until=runs.later(-1))
    code, found = health("--liveness")
    assert (code, found["ok"]) == (1, False)
    assert found["checks"][0]["detail"] == "no lease holds"


@pytest.mark.usefixtures("_worker")
def test_worker_of_another_host_does_not_count() -> None:
    Worker.objects.update(host="elsewhere")
    assert health("--liveness")[0] == 1


@pytest.mark.usefixtures("_worker", "_away")
def test_liveness_asks_no_broker() -> None:
    Worker.objects.update(broker="silent")
    with CaptureQueriesContext(connection):
        assert health("--liveness", "--broker", "silent")[0] == 0


@pytest.mark.usefixtures("_worker")
def test_database_that_is_away_is_no_reason_to_restart() -> None:
    with without_workers():
        code, found = health("--liveness")
    assert (code, found["ok"]) == (0, True)
    assert "the database is away" in found["checks"][0]["detail"]


def test_project_with_everything_is_ready() -> None:
    code, found = health()
    assert (code, [check["ok"] for check in found["checks"]]) == (0, [True] * 3)


@pytest.mark.usefixtures("_away")
def test_broker_that_is_away_is_not_ready() -> None:
    code, found = health("--broker", "down")
    assert code == 1
    assert [check["ok"] for check in found["checks"]] == [True, True, False]


def test_missing_migration_is_not_ready_and_named() -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="core")
    last = applied.latest("name").name
    applied.filter(name=last).update(name="x")
    try:
        code, found = health()
    finally:
        applied.filter(name="x").update(name=last)
    assert code == 1
    assert f"core.{last}" in found["checks"][1]["detail"]
