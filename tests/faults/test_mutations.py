"""The scenarios are able to fail: each does without the safeguard that it tries."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.faults import direct
from tests.faults.matrix import COMBINATIONS, Case, is_asked, modules
from tests.faults.rig import Rig
from tests.faults.sizes import FULL, PATIENCE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL, reason="takes long: make faults"),
]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A safeguard that is off, and the scenario that must notice."""

    safeguard: str
    fault: str
    scenario: Callable[[Rig], None]
    complaint: str
    orders: int = 0
    #: Where it shows only when a deadline has passed: a part of it is enough, since
    #: with the safeguard all ends within seconds.
    patience: float = PATIENCE
    brokers: tuple[str, ...] = ("valkey", "rabbitmq")


def direct_f10(rig: Rig) -> None:
    direct.run(rig, "F10")


MUTATIONS = [
    Mutation(
        "rescue off",
        "F1",
        modules()["F1"].run,
        r"not ended within .*'running': \d",
        orders=60,
        patience=0.2,
    ),
    Mutation(
        "fence off",
        "F5",
        modules()["F5"].run,
        r"marks that are not there once: .*, 2\)",
        orders=60,
    ),
    Mutation(
        "confirms off",
        "F10",
        direct_f10,
        r"[1-9]\d* direct messages are lost",
        patience=0.2,
        brokers=("rabbitmq",),
    ),
]


def cases() -> Iterator[object]:
    """Return each safeguard on all combinations."""
    for mutation in MUTATIONS:
        if not is_asked(mutation.fault):
            continue
        for engine, broker in [c for c in COMBINATIONS if c[1] in mutation.brokers]:
            title = f"{mutation.fault}, {mutation.safeguard}"
            case = Case(title, None, engine, broker, mutation.orders, 0)
            name = f"{mutation.safeguard}-{engine}-{broker}"
            yield pytest.param(mutation, case, id=name)


@pytest.mark.parametrize(("mutation", "case"), list(cases()))
def test_scenario_fails_without_its_safeguard(
    mutation: Mutation, case: Case, rig: Rig
) -> None:
    rig.patience = mutation.patience
    rig.more = {"FAULTS_MUTATION": mutation.safeguard}
    with pytest.raises(AssertionError, match=mutation.complaint):
        mutation.scenario(rig)


@pytest.mark.skipif(not is_asked("F5"), reason="ONLY names other faults")
@pytest.mark.parametrize(
    "case", [Case("F5, untold", None, "celery", "valkey", 60, 0)], ids=["celery-valkey"]
)
def test_fence_alone_refuses_a_replaced_worker(case: Case, rig: Rig) -> None:
    # As a rule an interrupt is faster: with it, a missing fence would hardly show.
    rig.more = {"FAULTS_MUTATION": "telling off"}
    modules()["F5"].run(rig)
