"""How many processes there should be."""

import os
from typing import Any

import pytest

from core import brokers, runs
from core.models import Pause
from core.processes import autoscale
from core.processes.autoscale import Autoscale
from tests.core.one_queue import ALIAS, make_worker
from tests.core.test_runs import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

THREADS = 4


@pytest.fixture
def scale() -> Autoscale:
    brokers.forget(ALIAS)
    return Autoscale(brokers[ALIAS], ["default"], 1, 8)


@pytest.fixture
def _never_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscale, "CALM_SECONDS", 3600.0)


@pytest.fixture
def _calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have been calm for long at every look."""
    monkeypatch.setattr(autoscale, "CALM_SECONDS", 0.0)


def wait_in_line(**fields: Any) -> None:
    make(broker=ALIAS, due_at=runs.later(-5), **fields)


def grown(scale: Autoscale, *, busy: int | None = None, looks: int = 1) -> int:
    for _ in range(looks):
        threads = [THREADS] * scale.wanted
        scale.decide(threads, sum(threads) if busy is None else busy)
    return scale.wanted


@pytest.mark.usefixtures("_never_calm")
def test_autoscale_grows_by_half_while_runs_wait(scale: Autoscale) -> None:
    wait_in_line()
    assert [grown(scale) for _ in range(6)] == [2, 3, 4, 6, 8, 8]


@pytest.mark.usefixtures("_never_calm")
@pytest.mark.parametrize("busy", [0, THREADS // 2])
def test_idle_processes_are_not_joined_by_more(scale: Autoscale, busy: int) -> None:
    wait_in_line()
    assert grown(scale, busy=busy) == 1


@pytest.mark.usefixtures("_never_calm")
def test_next_ones_come_when_the_last_ones_are_up(scale: Autoscale) -> None:
    wait_in_line()
    assert grown(scale) == 2
    scale.decide([THREADS], THREADS)
    assert scale.wanted == 2


@pytest.mark.usefixtures("_never_calm")
@pytest.mark.parametrize(
    "fields",
    [
        {"due_at": runs.later(5)},
        {"due_at": runs.later(0)},
        {"limit_key": "test.actor"},
        {"queue_name": "other"},
        {"broker": "other"},
        {"crashes": 1},
    ],
)
def test_autoscale_ignores_runs_that_more_processes_would_not_help(
    scale: Autoscale, fields: dict[str, Any]
) -> None:
    make(**{"broker": ALIAS, "due_at": runs.later(-5), **fields})
    assert grown(scale) == 1


@pytest.mark.usefixtures("_never_calm")
def test_paused_queue_asks_for_no_processes(scale: Autoscale) -> None:
    wait_in_line()
    Pause.objects.create(broker=ALIAS, queue_name="default", by="ann")
    assert grown(scale) == 1


@pytest.mark.usefixtures("_calm")
def test_autoscale_shrinks_one_by_one(scale: Autoscale) -> None:
    scale.wanted = 4
    assert [grown(scale, busy=THREADS) for _ in range(3)] == [3, 2, 2]
    assert [grown(scale, busy=0) for _ in range(3)] == [1, 1, 1]


def test_autoscale_counts_its_own_busy_processes(scale: Autoscale) -> None:
    wait_in_line()
    make_worker("other", supervisor="1-other")
    scale.look()
    assert scale.wanted == 1
    make_worker("mine", supervisor=f"{os.getpid()}-x")
    for _ in range(2):
        run = make(broker=ALIAS)
        assert runs.claim("default", run.pk, "mine")
    scale.look()
    assert scale.wanted == 2
