"""Which of the slots that are due fire, and why the others do not; no rows here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.triggers import At, Scheduled

#: A slot that is at most this late counts as on time and fires.
ON_TIME = timedelta(seconds=15)
#: Missed slots with a row each; one row stands for all before.
ROWS = 200

#: Why a slot does not fire.
MISSED, PAUSED = "missed", "paused"
OVERLAP, TOO_LATE = "an earlier run has not ended", "its deadline is over"
REPLACED = "a newer slot took its place"


@dataclass(frozen=True, slots=True)
class Decision:
    """A slot, and why it does not fire; "": it fires."""

    slot: datetime
    reason: str = ""


def most(said: Scheduled) -> int:
    """Return how many of the newest slots must be looked at."""
    return max(ROWS, 2 * (said.missed_max or 0))


def decide(
    said: Scheduled, slots: Sequence[datetime], now: datetime, fires: int
) -> list[Decision]:
    """Decide all slots that are due, in their order; `fires` have been so far.

    After the last fire that `max_fires` allows there are no more slots.
    """
    if isinstance(said.trigger, At):
        deadline = said.trigger.deadline
        late = deadline is not None and now > deadline
        return [Decision(slot, TOO_LATE if late else "") for slot in slots]
    chosen = _chosen(said, slots, now)
    left = None if said.max_fires is None else said.max_fires - fires
    decided = []
    for slot in slots:
        if left == 0:
            break
        decided.append(Decision(slot, "" if slot in chosen else MISSED))
        if left is not None and slot in chosen:
            left -= 1
    return decided


def _chosen(said: Scheduled, slots: Sequence[datetime], now: datetime) -> set[datetime]:
    on_time = {slot for slot in slots if now - slot <= ON_TIME}
    missed = [slot for slot in slots if slot not in on_time]
    if said.window is not None:
        missed = [slot for slot in missed if now - slot <= said.window]
    if said.missed == "skip":
        return on_time
    number = 1 if said.missed == "latest" else said.missed_max or 1
    left_out = len(missed) - max(0, number - len(on_time))
    return on_time | set(missed[max(0, left_out) :])
