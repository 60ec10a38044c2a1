"""Arguments and results come back as they were, on both databases."""

import json
import math
from typing import Any

import pytest

from core import actor, effect, pipeline
from core.models.exact import ExactEncoder

FLOATS = [1e15, 1e16, -1e16, 1e22, 1.5e300, 1.7976931348623157e308, 5e-324, -1e-7]
FLOATS += [0.0, -0.0, -0.05, 0.1, 123456789012345678.0]
VALUES = [
    *FLOATS,
    2**70,
    -(10**400),
    {"1e+16": [1e16, "-0.0", -0.0, '"1e+22', "\\"], "b": {"c": [[-0.0]]}},
    'a "quoted" 1e+16 and -0.0\\',
]


def same(one: Any, other: Any) -> bool:
    """Compare with types and signs."""
    if isinstance(one, dict):
        pairs = ((one[key], other[key]) for key in one)
        return one.keys() == other.keys() and all(same(*pair) for pair in pairs)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and bool(one == other)


@actor(actor_name="test.exact.echo", store_results=True)
def echo(value: Any) -> Any:
    return value


@actor(actor_name="test.exact.outside", store_results=True)
def outside(value: Any) -> Any:
    """Return what an effect is remembered to have given."""
    for _ in range(2):
        given = effect("once", lambda key: value)
    return given


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:20])
def test_encoder_writes_what_is_read_as_the_same(value: Any) -> None:
    assert same(json.loads(json.dumps(value, cls=ExactEncoder)), value)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:20])
def test_value_is_the_same_wherever_it_is_kept(value: Any) -> None:
    assert same(echo.send(value).get_result(), value)
    assert same(echo.send(value=value).get_result(), value)
    steps = pipeline([echo.message(value), echo.message()]).run()
    assert same(steps.get_result(), value)
    assert same(outside.send(value).get_result(), value)
