"""Strangers on the same broker."""

from uuid import uuid4

import pytest
from django.conf import settings

from core.backend import Hint
from core.broker import Broker
from tests.conformance.stacks import Stack, on_engines
from tests.conformance.tasks import note

OTHER_ENGINE = {
    "celery": "backends.dramatiq.DramatiqBackend",
    "dramatiq": "backends.celery.CeleryBackend",
}


def other_broker(stack: Stack, stranger: str) -> Broker:
    config = dict(settings.BROKERS[stack.alias])
    if stranger == "project":
        config["NAMESPACE"] += "-other"
    else:
        config["BACKEND"] = OTHER_ENGINE[stack.broker.backend.engine]
    return Broker(stack.alias, config)


@on_engines
@pytest.mark.parametrize("stranger", ["project", "engine"])
def test_messages_of_a_stranger_on_the_broker_are_left_alone(
    stack: Stack, key: str, stranger: str
) -> None:
    other, run_id = other_broker(stack, stranger), str(uuid4())
    queue = other.outbox.physical("default")
    hint = Hint(run_id, note.actor_name, queue, other.outbox.seal.sign(run_id))
    other.backend.publish([hint])
    assert stack.finish(stack.send(note, key)) == "succeeded"
    assert other.backend.depth(queue) == 1
    assert other.backend.purge(queue) == 1
