"""Messages with a route whose sender has not decided it."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import actor, brokers
from core.models import Run
from core.testing import rehearsing
from tests.core.one_queue import make_worker
from tests.services.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)

ALIAS = "routed-later"


@actor(actor_name="test.routed_later")
def routed() -> None: ...


@pytest.fixture(autouse=True)
def _alias(settings: Any, valkey: Valkey) -> Iterator[None]:
    alias = {
        "BACKEND": "backends.dramatiq.DramatiqBackend",
        "URL": valkey.url,
        "ROUTES": {"test.routed_*": {"queue_name": "elsewhere", "priority": 7}},
    }
    settings.BROKERS = {**settings.BROKERS, ALIAS: alias}
    yield
    broker = brokers[ALIAS]
    broker.backend.purge(broker.sender.physical("elsewhere"))
    brokers.forget(ALIAS)


def sent_by_one_who_died() -> Run:
    """Return the row of a message whose sender ended right after its commit."""
    with rehearsing():
        routed.using(broker=ALIAS).send()
    return Run.objects.get()


def test_relay_decides_the_route_of_a_sender_that_died() -> None:
    assert not sent_by_one_who_died().routed
    make_worker("one", ALIAS, queues=["elsewhere"])
    broker = brokers[ALIAS]
    Run.objects.update(relay_at="2026-01-01T00:00:00Z")
    assert broker.relay.round([]).published == 1
    run = Run.objects.get()
    assert (run.queue_name, run.priority, run.state) == ("elsewhere", 7, "queued")


def test_message_whose_route_is_gone_goes_as_it_is(settings: Any) -> None:
    sent_by_one_who_died()
    settings.BROKERS[ALIAS]["ROUTES"] = {}
    brokers.forget(ALIAS)
    make_worker("one", ALIAS)
    Run.objects.update(relay_at="2026-01-01T00:00:00Z")
    assert brokers[ALIAS].relay.round([]).published == 1
    assert Run.objects.get().queue_name == "default"
