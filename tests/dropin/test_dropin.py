"""A module written for Dramatiq runs on core by changing its import line alone."""

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from django.conf import settings
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import StubBackend as Counters
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from core import brokers
from core.models import Run, State
from core.processes.clock import Clock
from core.registry import registry
from tests.services.waiting import wait_for

SOURCE = Path(__file__).with_name("guide.py").read_text()
ON_DRAMATIQ, ON_CORE = "import dramatiq\n", "import core as dramatiq\n"


@pytest.fixture
def module() -> Iterator[Callable[[str], types.ModuleType]]:
    """Load the source with its import line, under a name of its own."""
    names = []

    def load(line: str) -> types.ModuleType:
        assert SOURCE.count(ON_DRAMATIQ) == 1
        loaded = types.ModuleType("guide_under_test")
        sys.modules[loaded.__name__] = loaded
        names.append(loaded.__name__)
        exec(compile(SOURCE.replace(ON_DRAMATIQ, line), __file__, "exec"), vars(loaded))  # noqa: S102  # our own source
        return loaded

    yield load
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def core_alias(settings: Any) -> Iterator[None]:
    """The module's middleware on the default alias, and one that relays for it."""
    config = {**settings.BROKERS["default"], "MIDDLEWARE": ["guide_under_test.Journal"]}
    settings.BROKERS = {**settings.BROKERS, "default": config}
    known = dict(registry._actors)
    yield
    brokers.forget("default")
    registry._actors.clear()
    registry._actors.update(known)


def told_by_dramatiq(load: Callable[[str], types.ModuleType]) -> list[str]:
    before = dramatiq.get_broker() if dramatiq.broker.global_broker else None
    broker = StubBroker()
    broker.emit_after("process_boot")
    broker.add_middleware(Results(backend=StubBackend()))
    broker.add_middleware(GroupCallbacks(Counters()))
    dramatiq.set_broker(broker)

    class Late(dramatiq.Middleware):
        """Knows the option before the module that brings the middleware does."""

        @property
        def actor_options(self) -> set[str]:
            return {"journal"}

    broker.add_middleware(Late())
    try:
        guide = load(ON_DRAMATIQ)
        broker.add_middleware(guide.Journal())
        worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=1)
        worker.start()

        def settled() -> None:
            for _ in range(2):
                for queue in broker.get_declared_queues():
                    broker.join(queue, fail_fast=False)
                worker.join()

        guide.run(settled)
        worker.stop()
        return guide.seen
    finally:
        if before is not None:
            dramatiq.set_broker(before)


def told_by_core(load: Callable[[str], types.ModuleType]) -> list[str]:
    brokers.forget("default")
    guide = load(ON_CORE)
    clock = Clock(brokers["default"], ["default", "mail"])

    def all_ended() -> bool:
        clock.round()
        ended = (State.SUCCEEDED, State.DEAD, State.CANCELLED)
        return not Run.objects.exclude(state__in=ended).exists()

    guide.run(lambda: wait_for(all_ended, 20))
    return guide.seen


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("core_alias")
def test_module_written_for_dramatiq_says_the_same_on_core(
    module: Callable[[str], types.ModuleType],
) -> None:
    assert settings.BROKERS["default"]["BACKEND"].startswith("backends.inprocess")
    stock = told_by_dramatiq(module)
    assert "pipeline 100" in stock
    assert told_by_core(module) == stock
