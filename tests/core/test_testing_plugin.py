"""The fixtures `sent`, `inline` and `worker`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from core import Message, brokers, group, pipeline
from core.testing import drain, enqueued, perform
from tests.conformance.models import Effect
from tests.conformance.tasks import note as leave_effect
from tests.core.test_testing import (
    Broken,
    break_down,
    note,
    note_directly,
    noted,
)
from tests.services.environment import on_postgres
from tests.services.waiting import wait_for

HOUR = timedelta(hours=1)
Worker = Callable[..., None]


@pytest.mark.django_db
def test_sent_lists_messages_in_their_order_also_direct_ones(
    sent: list[Message],
) -> None:
    expected = [note.send("a"), note_directly.send("b"), note.send("c")]
    assert sent == expected
    assert (drain(), noted()) == (3, ["a", "b", "c"])


@pytest.mark.django_db(transaction=True)
def test_sent_keeps_what_was_rolled_back_and_enqueued_does_not(
    sent: list[Message],
) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        note_directly.send("a")
        raise KeyError
    assert (len(sent), enqueued()) == (1, [])


@pytest.mark.django_db(transaction=True)
def test_sent_holds_back_even_what_would_run_at_once(sent: list[Message]) -> None:
    message = note.send("a")
    assert (noted(), message.status()) == ([], "pending")


@pytest.mark.usefixtures("inline")
def test_inline_runs_every_send_at_once_and_what_that_sends() -> None:
    note.send("a", again=True)
    note_directly.send("b")
    note.send_with_options(args=["c"], delay=HOUR)
    assert noted() == ["a", "a again", "b", "c"]


@pytest.mark.usefixtures("inline")
def test_inline_runs_a_composition_once_it_is_whole() -> None:
    pipeline([group([note.message("a"), note.message("b")]), note.message()]).run()
    assert noted() == ["a", "b", "[['a', 'str'], ['b', 'str']]"]


def test_inline_lets_a_failing_body_raise_and_records_the_failure(
    sent: list[Message], inline: None
) -> None:
    with pytest.raises(Broken):
        break_down.send()
    note.send("after")
    assert noted() == ["attempt 1", "after"]
    assert [message.status() for message in sent] == ["pending", "succeeded"]
    assert perform(sent[0]) == "dead"


@pytest.mark.parametrize(
    "alias",
    [
        pytest.param("celery_valkey", id="celery"),
        pytest.param("dramatiq_valkey", id="dramatiq"),
    ],
)
def test_worker_is_another_process_on_the_tests_own_database(
    worker: Worker, valkey: Any, alias: str, settings: Any
) -> None:
    settings.BROKERS = dict(settings.BROKERS)  # what `worker` changes ends with us
    developers = brokers[alias]
    leave_effect.using(durable=False, broker=alias).send("the developer's")
    worker(alias, processes=1, threads=2)
    message = leave_effect.send_with_options(args=["real"], broker=alias)
    wait_for(lambda: message.status() == "succeeded", 30, message.status())
    (effect,) = Effect.objects.all()
    assert (effect.key, effect.pid != os.getpid()) == ("real", True)
    # It waits for a worker of theirs, which in turn has taken nothing of the test's.
    assert developers.sender.depth("default") == 1
    developers.backend.purge(developers.sender.physical("default"))
    brokers.forget(alias)


@pytest.mark.skipif(on_postgres(), reason="SQLite alone has such databases")
def test_worker_refuses_a_database_in_memory(worker: Worker) -> None:
    name, connection.settings_dict["NAME"] = (
        connection.settings_dict["NAME"],
        ":memory:",
    )
    try:
        with pytest.raises(ImproperlyConfigured, match="'default'"):
            worker()
    finally:
        connection.settings_dict["NAME"] = name


def test_runner_takes_the_names_it_is_told(tmp_path: Any) -> None:
    names = json.dumps({"default": str(tmp_path / "renamed")})
    code = "from django.db import connection as c; print(c.settings_dict['NAME'])"
    line = ["-m", "core.testing.worker", "--databases", names, "shell", "-c", code]
    run = subprocess.run(
        [sys.executable, *line], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip().endswith(str(tmp_path / "renamed"))


def test_plugin_is_imported_before_django_is_set_up() -> None:
    code = (
        "import core.testing.plugin, sys;"
        "print([name for name in sys.modules if name.startswith('core.models')])"
    )
    bare = {**os.environ, "PYTHONPATH": os.getcwd()}
    del bare["DJANGO_SETTINGS_MODULE"]
    run = subprocess.run(
        [sys.executable, "-c", code], env=bare, check=True, capture_output=True
    )
    assert run.stdout == b"[]\n"
