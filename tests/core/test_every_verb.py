"""Every verb of manage.py tasks: its help, its JSON, its refusal of bad input."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import actor
from core.management.commands.tasks import VERBS
from core.models import Run
from core.testing import drain, rehearsing
from tests.core.verbs import tasks, told

pytestmark = pytest.mark.django_db(transaction=True)


@actor(actor_name="test.every_verb.breaks", max_retries=0)
def breaks() -> None:
    raise RuntimeError("always")


@pytest.fixture(autouse=True)
def _some() -> Iterator[None]:
    """A dead run, and one that waits."""
    with rehearsing():
        breaks.send()
        drain()
        breaks.using(delay=timedelta(hours=1)).send()
        yield


#: For each verb a line that it takes; ID stands for the dead run, WAITS for the other.
TAKEN = {
    "actors": "--period 6h",
    "alerts": "",
    "audit": "--limit 5",
    "brokers": "--broker default",
    "cancel": "WAITS --dry-run",
    "errors": "--period 2d",
    "explain": "WAITS",
    "health": "",
    "pause": "default",
    "prune": "--dry-run",
    "purge": "default --broker default --dry-run",
    "queues": "",
    "requeue": "--state dead --dry-run",
    "resume": "default",
    "runs": "--limit 1",
    "schedules": "list",
    "send": "test.every_verb.breaks",
    "show": "ID",
    "stats": "--actor test.every_verb.breaks",
    "top": "",
    "workers": "",
}
#: And one that it refuses, with what it says.
REFUSED = {
    "actors": ("--period 5x", "'5x' is no period"),
    "alerts": ("test nobody", "No alert rule is named 'nobody'"),
    "audit": ("--limit 0", "must be a whole number over 0"),
    "brokers": ("--broker no", "'no' is not in BROKERS"),
    "cancel": ("", "Give ids, or a filter"),
    "errors": ("--period 9999d", "is too long"),
    "explain": ("nothing", "nothing"),
    "health": ("--broker no", "'no' is not in BROKERS"),
    "pause": ("default --broker no", "'no' is not in BROKERS"),
    "prune": ("--broker no", "no"),
    "purge": ("nobodys", "nobodys"),
    "queues": ("--broker no", "'no' is not in BROKERS"),
    "requeue": ("--state dead --all", "Give ids, or a filter"),
    "resume": ("default --broker no", "'no' is not in BROKERS"),
    "runs": ("--since yesterday", "yesterday"),
    "schedules": ("next nobody", "nobody"),
    "send": ("test.every_verb.break", "Did you mean 'test.every_verb.breaks'?"),
    "show": ("nothing", "nothing"),
    "stats": ("--period h", "'h' is no period"),
    "top": ("--every 0", "must be 0.5 to 3600 seconds"),
    "workers": ("--broker no", "'no' is not in BROKERS"),
}


def words(line: str) -> list[str]:
    dead, waits = Run.objects.order_by("created_at").values_list("pk", flat=True)
    named = {"ID": str(dead), "WAITS": str(waits)}
    return [named.get(word, word) for word in line.split()]


def test_every_verb_is_tried() -> None:
    assert sorted(TAKEN) == sorted(REFUSED) == sorted(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_says_what_it_does(verb: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("tasks", verb, "--help")
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize("verb", TAKEN)
def test_programs_are_told_json_and_people_a_text(verb: str) -> None:
    line = [verb, *words(TAKEN[verb])]
    assert isinstance(told(*line), dict | list)
    assert tasks(*line).strip()


@pytest.mark.parametrize("verb", REFUSED)
def test_bad_input_is_refused_with_what_is_wrong(verb: str) -> None:
    line, says = REFUSED[verb]
    with pytest.raises(CommandError) as caught:
        tasks(verb, *words(line))
    assert says in str(caught.value)
