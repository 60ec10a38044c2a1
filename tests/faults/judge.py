"""The invariants that every scenario ends with; the tables alone are asked.

I1  every confirmed order has exactly one stock movement and one record of its mail
I2  nothing exists for an order that was never committed
I3  every run ends within the bound
I4  nothing is left pending
I5  no process is stuck, and nobody had to step in
"""

import time

from tests.faults.books import Traces
from tests.faults.rig import Rig
from tests.services.waiting import TooLate, wait_for

#: What an order should leave.
ONCE = Traces(1, 1)
#: An order that is placed after all is over is done within so many seconds.
CANARY_SECONDS = 10


def judge(rig: Rig, within: float, *, dead: int = 0, cancelled: int = 0) -> None:
    """Assert I1 to I5; all runs end within so many seconds from now.

    `dead` and `cancelled`: how many runs are, where a scenario makes that happen.
    """
    assert any(customers.confirmed for customers in rig.customers)
    everything_ends(rig, within)  # I3, I4
    states = rig.books.states()
    assert states["dead"] == dead, why_dead(rig)
    assert states["cancelled"] == cancelled
    orders_are_done_once(rig)  # I1
    nothing_for_nobody(rig)  # I2
    for crew in rig.crews:  # I5
        if crew.process.poll() is None:
            wait_for(crew.is_whole, 15 * rig.patience, f"all at work\n{crew.tail()}")
    still_works(rig)


def everything_ends(rig: Rig, within: float) -> None:
    """Wait until no run is open; measure how long that took."""
    start = time.monotonic()
    try:
        done = lambda: rig.books.open_runs() == 0  # noqa: E731  # a condition
        wait_for(done, within * rig.patience, "every run has ended")
    except TooLate:
        raise
    except TimeoutError:
        raise AssertionError(
            f"not ended within {within} x {rig.patience} s: {rig.books.states()}"
        ) from None
    rig.measured.setdefault("ended_s", round(time.monotonic() - start, 1))


def orders_are_done_once(rig: Rig) -> None:
    """Assert I1, for what was committed without a confirmation as well."""
    orders = rig.books.orders()
    confirmed = {ref for customers in rig.customers for ref in customers.confirmed}
    lost = confirmed - orders.keys()
    assert not lost, f"{len(lost)} confirmed orders are gone"
    wrong = {ref: traces for ref, traces in orders.items() if traces != ONCE}
    assert not wrong, f"{len(wrong)} of {len(orders)} orders: {list(wrong.items())[:5]}"


def nothing_for_nobody(rig: Rig) -> None:
    """Assert I2: no order, no run, no mail for what was rolled back."""
    regretted = {ref for customers in rig.customers for ref in customers.regretted}
    assert not regretted & rig.books.orders().keys()
    homeless = rig.books.number(
        "SELECT count(*) FROM core_run r WHERE actor_name LIKE 'shop.%' AND NOT EXISTS"
        " (SELECT 1 FROM shop_ordertask t WHERE t.message_id = r.id)"
    )
    assert homeless == 0, f"{homeless} runs of orders that do not exist"
    mailed = {recipient(mail) for mail in rig.smtp.messages}
    assert not [address for address in mailed if "regretted" in address]


def recipient(mail: object) -> str:
    """Return whom a mail was for."""
    return str(mail["To"])  # type: ignore[index]  # an EmailMessage


def still_works(rig: Rig) -> None:
    """Assert I5: an order of the next customer is done soon, by those who are there."""
    if not any(crew.process.poll() is None for crew in rig.crews):
        rig.work()
    canary = rig.order(1, orders=1)
    canary.finish()
    everything_ends(rig, CANARY_SECONDS)
    (reference,) = canary.confirmed
    assert rig.books.orders()[reference] == ONCE


def why_dead(rig: Rig) -> str:
    """Return what the given-up runs say."""
    rows = rig.books.rows("SELECT actor_name, error FROM core_run WHERE state = 'dead'")
    return f"{len(rows)} dead: {rows[:3]}\n{rig.tails()}"
