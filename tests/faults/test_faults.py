"""Every scenario of the matrix; see `tests.faults.scenarios`."""

import pytest

from tests.faults.matrix import Case, cases
from tests.faults.rig import Rig

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in cases()])
def test_fault_is_survived(case: Case, rig: Rig) -> None:
    try:
        case.module.run(rig)
    except BaseException as error:
        error.add_note(rig.tails())
        raise
