"""Foreign messages on the same broker."""

from uuid import uuid4

import pytest
from django.conf import settings

from core.backend import EngineMessage
from core.broker.broker import Broker
from core.broker.config import BrokerConfig
from tests.conformance.stacks import Stack
from tests.conformance.tasks import note

OTHER_ENGINE = {
    "celery": "backends.dramatiq.DramatiqBackend",
    "dramatiq": "backends.celery.CeleryBackend",
}


def left_alone(stack: Stack, key: str, **changes: str) -> None:
    """Let a stranger publish, then run a message of our own."""
    given = {**settings.BROKERS[stack.alias], **changes}
    other = Broker(BrokerConfig.read(stack.alias, given))
    run_id, queue = str(uuid4()), other.sender.physical("default")
    copy = EngineMessage(
        run_id, note.actor_name, queue, other.sender.signer.sign(run_id)
    )
    other.backend.publish([copy])
    assert stack.finish(stack.send(note, key)) == "succeeded"
    assert other.backend.depth(queue) == 1
    assert other.backend.purge(queue) == 1


@pytest.mark.needs("worker", "publish")
def test_messages_of_another_project_on_the_broker_are_left_alone(
    stack: Stack, key: str
) -> None:
    namespace = settings.BROKERS[stack.alias]["NAMESPACE"]
    left_alone(stack, key, NAMESPACE=f"{namespace}-other")


@pytest.mark.needs("server")
def test_messages_of_another_engine_on_the_broker_are_left_alone(
    stack: Stack, key: str
) -> None:
    left_alone(stack, key, BACKEND=OTHER_ENGINE[stack.broker.backend.engine])
