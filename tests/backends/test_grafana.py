"""The dashboard and the examples ask for what /metrics tells, and for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.models import State
from core.runs import later
from tests.backends.scraping import TOKEN, insert, roll_up, scrape, worker

pytestmark = pytest.mark.django_db

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana" / "switchyard.json").read_text())
PAGE = (DOCS / "how-to" / "metrics.md").read_text()
METRIC = re.compile(r"switchyard_\w+")
#: A metric with the labels that are asked for.
ASKED = re.compile(r"(switchyard_\w+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)=")


@pytest.fixture
def told(settings: Any) -> dict[str, set[str]]:
    """Every sample's name in a /metrics that has them all, with its labels."""
    settings.METRICS_TOKEN = TOKEN
    worker("one")
    insert(State.SUCCEEDED, later(-2), started_at=later(-1), finished_at=later(0))
    roll_up()
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(scrape())
        for sample in family.samples
    }


def queries() -> Iterator[str]:
    """Yield every query of the dashboard, its panels' and its variables'."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def test_every_query_of_the_dashboard_asks_for_what_is_told(
    told: dict[str, set[str]],
) -> None:
    for query in queries():
        names = METRIC.findall(query)
        assert names
        assert set(names) <= set(told), query
        for name, labels in ASKED.findall(query):
            assert set(LABEL.findall(labels)) <= told[name], query


def test_dashboard_shows_everything_that_is_told(told: dict[str, set[str]]) -> None:
    shown = {name for query in queries() for name in METRIC.findall(query)}
    assert shown == set(told)


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places: list[tuple[int, int]] = []
    for panel in panels:
        at = panel["gridPos"]
        places += [
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24


def test_page_lists_every_metric_with_its_labels(told: dict[str, set[str]]) -> None:
    rows = re.findall(r"^\| `(switchyard_\w+)` \| ([\w, ]*) ?\|", PAGE, re.M)
    listed = {name: set(labels.replace(",", " ").split()) for name, labels in rows}
    assert listed == {
        name.removesuffix("_bucket"): labels - {"le"} for name, labels in told.items()
    }
    for name, labels in ASKED.findall(PAGE):
        assert set(LABEL.findall(labels)) <= told[name]
