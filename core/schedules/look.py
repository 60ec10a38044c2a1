"""One schedule at one tick: what is due, what becomes of it, and when it is next."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from core.models import Fire, FireState, Schedule
from core.schedules.missed import (
    MISSED,
    ON_TIME,
    OVERLAP,
    PAUSED,
    REPLACED,
    Decision,
    decide,
    most,
)
from core.triggers import Scheduled, Timetable, version

#: Wait before a schedule that this process cannot send is looked at again.
LATER = timedelta(seconds=60)


class Look:
    """A tick's view of a schedule whose row it has locked."""

    def __init__(self, row: Schedule, now: datetime, driver: str) -> None:
        self.row = row
        self.now = now
        self.driver = driver
        self.said: Scheduled = row.said
        self.timetable: Timetable = row.timetable(self.said)
        self._notice_edit()
        #: The slots that are due, the first before them if any, and the next one.
        self.slots, self.older, self.next = self.timetable.newest(
            row.after, now, most(self.said)
        )
        #: The fires to send, and those that only need a row.
        self.to_send: list[Fire] = []
        self.others: list[Fire] = []

    def _notice_edit(self) -> None:
        """Begin anew if the row was changed without `save`; note the zones' version."""
        digest = self.timetable.digest
        if digest != self.row.digest:
            self.row.digest = digest
            self.row.after = max(self.row.after, self.now)
        self.row.zones = version()

    def decide(self, known: Collection[datetime], paused: Sequence[Fire]) -> None:
        """Decide every slot that has no row yet, and those that a pause had skipped."""
        row = self.row
        slots = [slot for slot in self.slots if slot not in known]
        if row.paused:
            decisions = [Decision(slot, PAUSED) for slot in slots]
            if decisions:
                row.paused_from = row.paused_from or self.older or slots[0]
        else:
            again = {fire.slot: fire for fire in paused if fire.slot is not None}
            both = sorted({*slots, *again})
            decisions = decide(self.said, both, self.now, row.fires)
            self._revive(again, decisions)
            decisions = [one for one in decisions if one.slot not in again]
            row.paused_from = None
        if self.older and self.older not in known:
            reason = PAUSED if row.paused else MISSED
            self.others.append(self._fire(Decision(self.older, reason), slots[:1]))
        for one in decisions:
            fire = self._fire(one)
            (self.others if one.reason else self.to_send).append(fire)
        self.to_send.sort(key=lambda fire: fire.slot or self.now)

    def _revive(self, paused: dict[datetime, Fire], decisions: list[Decision]) -> None:
        """Send what the missed rule wants of the slots that a pause had skipped."""
        for one in decisions:
            if one.slot in paused and not one.reason:
                fire = paused[one.slot]
                fire.state, fire.reason = FireState.FIRED, ""
                fire.driver, fire.decided_at = self.driver, self.now
                self.to_send.append(fire)

    def _fire(self, one: Decision, until: Sequence[datetime] = ()) -> Fire:
        return Fire(
            schedule=self.row,
            slot=one.slot,
            until=until[0] if until else None,
            state=FireState.SKIPPED if one.reason else FireState.FIRED,
            reason=one.reason,
            driver=self.driver,
            decided_at=self.now,
        )

    def mind_overlap(self, is_active: bool, is_waiting: bool) -> None:
        """Skip, or let wait, what would overlap with an earlier run, or each other."""
        if self.said.overlap == "allow":
            return
        if self.said.overlap == "cancel_other":
            self._drop_all_but_the_newest()
        busy = is_active or is_waiting
        for fire in self.to_send if busy else self.to_send[1:]:
            skips = self.said.overlap == "skip"
            fire.state = FireState.SKIPPED if skips else FireState.WAITING
            fire.reason = OVERLAP if skips else ""
            self.others.append(fire)
        self.to_send = [] if busy else self.to_send[:1]

    def _drop_all_but_the_newest(self) -> None:
        for fire in self.to_send[:-1]:
            fire.state, fire.reason = FireState.SKIPPED, REPLACED
            self.others.append(fire)
        self.to_send = self.to_send[-1:]

    def go_on(self) -> None:
        """Note how far the schedule has come, and when it is next."""
        row = self.row
        row.fires += sum(fire.state == FireState.WAITING for fire in self.others)
        row.fires += len(self.to_send)
        if not row.paused:  # else it may say why
            row.error = ""
        if self.slots:
            row.after = max(row.after, self.slots[-1])
        is_over = row.max_fires is not None and row.fires >= row.max_fires
        row.next_at = None if is_over else self.next


def put_off(row: Schedule, now: datetime, why: str) -> bool:
    """Leave all slots undecided: an edit or another process may help.

    Only once no scheduler has decided them while they were on time: one that can may
    run beside this one, and what is put off is put off for it as well.
    """
    if row.next_at is not None and now - row.next_at <= ON_TIME:
        return False
    row.error = why
    row.next_at = now + LATER
    return True
