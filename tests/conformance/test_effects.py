"""Effects outside the database."""

import pytest

from core import control, monitoring
from tests.conformance.outside_tasks import call_again, call_but_ask
from tests.conformance.stacks import RECOVERED, Stack, effects

pytestmark = pytest.mark.needs("worker")


def known(key: str) -> tuple[str, int]:
    (found,) = [one for one in monitoring.effects() if one.key == key]
    return found.state, found.unknowns


def test_unknown_effect_is_repeated(stack: Stack, key: str) -> None:
    message = stack.send(call_again, key)
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 2
    assert known(key) == ("done", 1)


def test_unknown_effect_is_asked_about_if_its_actor_says_so(
    stack: Stack, key: str
) -> None:
    message = stack.send(call_but_ask, key)
    assert stack.finish(message, RECOVERED) == "dead"
    assert known(key) == ("unknown", 1)
    assert control.answer(key, happened=True, by="ops")
    assert control.requeue([message.message_id], by="ops") == 1
    assert stack.finish(message, RECOVERED) == "succeeded"
    assert effects(key) == 1
