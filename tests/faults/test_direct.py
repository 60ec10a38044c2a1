"""What becomes of direct messages under faults: kept, lost, run twice.

What docs/guarantees.md says of each combination was measured here.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import direct
from tests.faults.matrix import COMBINATIONS, Case, is_asked
from tests.faults.rig import Rig
from tests.faults.sizes import FULL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FULL, reason="a measurement: make faults"),
]


def cases() -> Iterator[Any]:
    """Return each fault on all combinations."""
    for fault in direct.FAULTS:
        if not is_asked(fault):
            continue
        brokers = direct.BROKERS.get(fault, ("valkey", "rabbitmq"))
        for engine, broker in [c for c in COMBINATIONS if c[1] in brokers]:
            case = Case(f"{fault}, direct", None, engine, broker, direct.NUMBER, 0)
            yield pytest.param(case, id=f"{fault}-{engine}-{broker}")


@pytest.mark.parametrize("case", list(cases()))
def test_direct_messages_are_kept_as_promised(case: Case, rig: Rig) -> None:
    direct.run(rig, case.fault.split(",")[0])
