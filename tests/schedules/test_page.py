"""The page of the rules says what the registry does."""

import doctest
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core import at, crontab, every, scheduled, solar
from core.models import Run
from core.schedules import tick
from core.triggers import version
from tests.schedules import page

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = Path(__file__).parents[2] / "docs" / "schedules-rules.md"
RULES = re.split(r"^## (?=\d+\. )", PAGE.read_text(), flags=re.M)[1:]
#: The rules of the page are these.
NUMBERS = range(1, 22)
NAMES = {
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "UTC": UTC,
    "Made": page.Made,
    "Run": Run,
    "at": at,
    "at_time": page.at_time,
    "crontab": crontab,
    "date": date,
    "datetime": datetime,
    "every": every,
    "many": page.many,
    "oracle": page.oracle,
    "passes": page.passes,
    "refused": page.refused,
    "scheduled": scheduled,
    "slots": page.slots,
    "solar": solar,
    "tick": tick,
    "zones_version": version,
}


def title(rule: str) -> str:
    return rule.partition("\n")[0]


def examples(rule: str) -> doctest.DocTest:
    parser = doctest.DocTestParser()
    return parser.get_doctest(rule, dict(NAMES), title(rule), str(PAGE), 0)


def test_page_has_every_rule() -> None:
    assert [int(rule.partition(".")[0]) for rule in RULES] == list(NUMBERS)


@pytest.mark.parametrize("rule", RULES, ids=title)
def test_fires_match_the_documented_table(rule: str) -> None:
    told: list[str] = []
    asked = examples(rule)
    done = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(
        asked, out=told.append
    )
    assert done.failed == 0, "".join(told)
    assert any(example.want for example in asked.examples)
