"""A send to a queue that no actor declares: said at once, and a worker can be had."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import actor, brokers
from core.management.commands.worker import _queues
from core.models import Run
from tests.core.verbs import tasks

pytestmark = pytest.mark.django_db(transaction=True)


@actor(actor_name="test.strange.mail", queue_name="mail")
def mail() -> None:
    """Do nothing."""


@pytest.mark.usefixtures("sent")
def test_developer_is_warned_of_it_and_production_is_not(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mail.using(queue_name="mial").send()
    assert not caplog.messages
    settings.DEBUG = True
    mail.send()
    mail.using(queue_name="mail").send()
    assert not caplog.messages
    mail.using(queue_name="mial").send()
    assert caplog.messages == [
        "No actor declares the queue mial: start a worker with --queues for it."
    ]


@pytest.mark.usefixtures("sent")
def test_worker_serves_an_undeclared_queue_once_it_has_messages() -> None:
    broker = brokers["default"]
    with pytest.raises(CommandError, match="and nothing waits in it; there are"):
        _queues(broker, "mial")
    mail.using(queue_name="mial").send()
    assert _queues(broker, "mail,mial") == ["mail", "mial"]


@pytest.mark.parametrize("line", ["tasks runs", "worker", "scheduler"])
def test_missing_tables_are_named_with_the_mend(line: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "settings.dev",
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        "TASK_BACKEND": "database",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", *line.split()],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        text=True,
    )
    assert ended.returncode == 1
    says = "has no table core_run: run manage.py migrate --database=default."
    assert ended.stdout.strip().endswith(says)
    assert "Traceback" not in ended.stdout


@pytest.mark.usefixtures("sent")
def test_unknown_runs_and_names_are_reported() -> None:
    assert "No run matches. No actor is named 'nobody'." in tasks(
        "runs", "--actor", "nobody"
    )
    assert tasks("runs", "--actor", mail.actor_name).strip() == "No run matches."
    with pytest.raises(CommandError, match="'no' is not in BROKERS"):
        call_command("tasks", "runs", "--broker", "no")


@pytest.mark.usefixtures("sent")
def test_run_is_shown_by_the_beginning_of_its_id() -> None:
    message_id = mail.send().message_id
    assert message_id in tasks("show", message_id[:8])
    assert f"{mail.actor_name} {message_id}" in tasks("explain", message_id[:13])
    with pytest.raises(CommandError, match="no run with the id '00000000'"):
        tasks("show", "00000000")


@pytest.mark.usefixtures("sent")
def test_run_is_found_behind_others_whose_errors_have_its_id() -> None:
    message_id = mail.send().message_id
    others = [mail.send().message_id for _ in range(2)]
    Run.objects.filter(pk__in=others).update(error=f"after {message_id}")
    assert message_id in tasks("show", message_id[:8]).splitlines()[0]
