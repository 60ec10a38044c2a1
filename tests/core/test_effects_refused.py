"""Effects that cannot be, and what they say instead."""

from typing import Any

import pytest
from django.db import transaction

from core import (
    InsideTransaction,
    InvalidOption,
    InvalidResult,
    effect,
)
from core.models import Effect
from tests.core.test_effects import Outside, attempt_of, state
from tests.core.test_runs import make

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
]


def test_effect_inside_a_transaction_is_refused() -> None:
    outside = Outside()
    with (
        attempt_of(make()),
        pytest.raises(InsideTransaction, match="before the atomic block"),
        transaction.atomic(),
    ):
        effect("pay", outside.happen)
    assert outside.seen == []
    assert not Effect.objects.exists()


@pytest.mark.django_db(transaction=False)
def test_transaction_of_a_test_case_is_none_of_that() -> None:
    outside = Outside()
    assert effect("pay", outside.happen, key="k") == "receipt 1"


def test_outside_of_a_run_it_needs_a_key() -> None:
    outside = Outside()
    with pytest.raises(InvalidOption, match="'key' is None"):
        effect("pay", outside.happen)
    assert effect("pay", outside.happen, key="order-7") == "receipt 1"
    assert effect("pay", outside.happen, key="order-7") == "receipt 1"


@pytest.mark.parametrize(
    "bad", [{"name": ""}, {"name": 7}, {"key": "k" * 1000}, {"on_unknown": "hope"}]
)
def test_effect_names_a_wrong_argument(bad: dict[str, Any]) -> None:
    outside = Outside()
    given = {"name": "pay", "key": "k", **bad}
    with pytest.raises(InvalidOption, match=next(iter(bad))):
        effect(perform=outside.happen, **given)
    assert outside.seen == []


def test_outcome_that_is_not_json_has_happened_all_the_same() -> None:
    with pytest.raises(InvalidResult, match="not JSON"):
        effect("pay", lambda key: object(), key="k")
    assert state() == ("done", 0)
