"""Celery's beat_schedule becomes schedules of ours, and what changes is told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError

from core import monitoring
from core.models import Schedule
from tests.core.test_audit import ME
from tests.schedules.importing import ask, changes, planned
from tests.schedules.rows import NOON, make

pytestmark = [pytest.mark.django_db, pytest.mark.database]
APP = "tests.schedules.old_project:app"
BEAT = "tests.schedules.old_project:BEAT"


def test_crontab_in_the_hour_that_is_skipped_is_told_with_its_date() -> None:
    nightly = planned(APP)["nightly"]
    assert nightly.trigger == 'crontab("30 2 * * *", tz="Europe/Berlin")'
    # 28 March 2027, 03:30 summer time with Celery; here when the clocks are set.
    assert changes(nightly) == (["2027-03-28 01:30"], ["2027-03-28 01:00"])


def test_both_days_must_fit_as_in_celery() -> None:
    friday = planned(APP)["friday the 13th"]
    assert 'day_match="and"' in friday.trigger
    assert changes(friday) == ([], [])
    assert friday.row is not None
    slots = friday.row.when.slots(NOON)
    assert [f"{next(slots):%Y-%m-%d}" for _ in range(2)] == ["2026-11-13", "2027-08-13"]


def test_fields_that_celery_reads_otherwise_mean_what_they_meant() -> None:
    steps = planned(APP)["steps"]
    assert steps.trigger == 'crontab("0 22-2 * * *", tz="Europe/Berlin")'
    assert changes(steps) == ([], [])


def test_frequent_schedule_is_also_compared_around_clock_changes() -> None:
    quarters = planned(APP)["quarters"]
    there, here = changes(quarters)
    assert there == []
    # Celery's Beat goes from 02:45 to 03:00: of the hour that comes twice it has one.
    assert {fire[:10] for fire in here} == {"2026-10-25"}
    assert quarters.comparison is not None
    assert quarters.comparison.until < NOON + timedelta(days=30)


def test_intervals_are_the_same_but_for_beats_delays() -> None:
    often = planned(APP)["often"]
    assert often.trigger.startswith("every(seconds=30, anchor=")
    assert changes(often) == ([], [])
    assert "adds every delay of Beat" in often.notes[0]


def test_relative_days_stay_at_midnight() -> None:
    daily = planned(APP)["each day"]
    assert daily.row is not None
    slot = daily.row.when.next(NOON)
    assert slot == datetime(2026, 5, 1, 22, tzinfo=UTC)
    assert changes(daily) == ([], [])


def test_options_of_the_send_are_kept_or_told() -> None:
    nightly = planned(APP)["nightly"]
    assert nightly.row is not None
    assert nightly.row.args == ["night"]
    assert nightly.row.options == {"queue_name": "quiet", "max_age": 3_600_000}
    assert [note.partition(":")[0] for note in nightly.notes] == [
        "priority 5 is left out",
        "left out, there is nothing like it here",
    ]


REFUSED = {
    "too often": "an interval is at least a second",
    "unknown": "No actor named 'proj.tasks.gone' is declared in this process.",
    "wrong": "unexpected keyword argument 'volume'",
    "half": "It must have 'task' and 'schedule'.",
}


def test_bad_entries_are_refused_by_name_and_the_rest_imported() -> None:
    refused = {name: one.why for name, one in planned(APP).items() if one.why}
    assert refused.keys() == REFUSED.keys()
    assert all(words in refused[name] for name, words in REFUSED.items())
    *told, total = ask("--beat-schedule", APP).splitlines()
    assert "    refused: No actor named 'proj.tasks.gone'" in "\n".join(told)
    assert total.startswith("Imported 6 of 10 schedules; fires of 2 change; 4 are ref")
    assert "Stop Celery's own Beat now" in total
    assert Schedule.objects.count() == 6
    assert not Schedule.objects.filter(name__in=REFUSED).exists()


def test_dry_run_tells_the_same_and_writes_nothing() -> None:
    told = ask("--beat-schedule", APP, "--dry-run")
    assert "nightly -> test.schedules.echo" in told
    assert "CHANGES: " in told
    assert "CEST no more" in told
    assert "    fires as before" in told
    assert "Would import 6 of 10 schedules" in told
    assert (Schedule.objects.count(), monitoring.audit()) == (0, [])


def test_json_is_for_programs_and_the_audit_names_what_was_imported() -> None:
    (one,) = json.loads(ask("--beat-schedule", BEAT, "--json"))
    assert (one["name"], one["status"], one["same"]) == ("hourly", "new", True)
    assert one["trigger"] == 'crontab("0 * * * *")'
    (entry,) = monitoring.audit()
    assert (entry.by, entry.verb, entry.changed) == (ME, "import_schedules", 1)
    assert entry.target == "tests.schedules.old_project:BEAT: hourly"


def test_import_leaves_an_existing_schedule_as_it_is() -> None:
    make(name="hourly", args=["mine"])
    told = ask("--beat-schedule", BEAT)
    assert "left as it is: there is a schedule of this name" in told
    assert "Imported 0 of 1" in told
    assert Schedule.objects.get().args == ["mine"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "name Celery's beat_schedule with --beat-schedule proj.celery:app"),
        (["--beat-schedule", "no.such:app"], "'no.such'; it must be a Celery app"),
        (["--beat-schedule", f"{APP}_gone"], "old_project:app_gone"),
        (
            ["--beat-schedule", "tests.schedules.old_project:ECHO"],
            "as proj.celery:app; it is a str",
        ),
    ],
)
def test_wrong_path_is_refused_with_the_mend(line: list[str], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        ask(*line)
    assert words.replace("'no.such'", "'no.such:app'") in str(caught.value)


def test_missing_setting_is_named(settings: Any) -> None:
    settings.SCHEDULE_IMPORTER = ""
    with pytest.raises(CommandError, match=r"SCHEDULE_IMPORTER.*celery\.importing"):
        ask("--beat-schedule", APP)
