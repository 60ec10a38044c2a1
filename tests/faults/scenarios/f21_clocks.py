"""Clocks are 10 minutes off, and one jumps back: leases use the database's time."""

from pathlib import Path

from tests.faults.judge import judge
from tests.faults.rig import Rig
from tests.faults.sizes import Size

SIZE = Size(orders=1000)
LIBRARY = "usr/lib/*/faketime/libfaketimeMT.so.1"


def run(rig: Rig) -> None:
    # Nothing to the clocks, and enough for a machine with much else to do.
    rig.timing = {"lease": 15, "heartbeat": 2}
    clock = rig.folder / "clock"
    clock.write_text("+10m")
    jumping = {"FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"}
    rig.work(faked({"FAKETIME": "-10m"}))
    rig.work(faked(jumping))
    late = rig.order(2, faked({"FAKETIME": "-10m"}), orders=rig.orders // 3)
    early = rig.order(2, faked({"FAKETIME": "+10m"}), orders=rig.orders // 3)
    honest = rig.order(seconds=max(6, rig.orders / 20), orders=rig.orders // 3)
    honest.have_ordered(0.5)
    clock.write_text("-10m")
    for customers in (late, early, honest):
        customers.finish(600)
    judge(rig, 60)
    crashed = "SELECT count(*) FROM core_attempt WHERE outcome = 'crashed'"
    assert rig.books.number(crashed) == 0, "a lease was told by somebody's own clock"


def faked(how: dict[str, str]) -> dict[str, str]:
    """Return the environment of processes with such a clock."""
    (library,) = Path("/").glob(LIBRARY)
    return {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", **how}
