"""The canaries as the tables have them, and the verdict."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.chaos.producer import Told
from core.models import State

OPEN = (State.PENDING, State.QUEUED, State.RUNNING)
#: Runs of each kind that the verdict names.
NAMED = 10
PASSED = "Nothing lost, nothing twice."


@dataclass(frozen=True, slots=True)
class Found:
    """The outcomes of the canaries, by number; right are those in no other set."""

    once: frozenset[int]
    lost: frozenset[int]  # committed, ended, and no effect
    twice: frozenset[int]
    given_up: frozenset[int]  # dead or cancelled
    open: frozenset[int]
    ghosts: frozenset[int]  # never committed, and yet there is a run or an effect


def judge(told: Told, states: Mapping[int, str], marks: Mapping[int, int]) -> Found:
    """Compare what was sent with the states of the runs and the number of effects.

    A run that is gone has been pruned: its effect tells what became of it.
    """
    expected = told.sent | (told.unsure & states.keys())
    twice = {number for number, count in marks.items() if count > 1}
    ghosts = (states.keys() | marks.keys()) - expected
    still = {number for number in expected if states.get(number) in OPEN}
    ends = (State.DEAD, State.CANCELLED)
    given_up = {number for number in expected if states.get(number) in ends}
    lost = {n for n in expected - still - given_up if not marks.get(n)}
    once = expected - twice - still - given_up - lost
    sets = (once, lost, twice, given_up, still, ghosts)
    return Found(*map(frozenset, sets))


def table(values: Mapping[str, Any], left: int, right: int) -> list[str]:
    """Return names and values in two columns; what has parts is left out or joined."""
    lines = []
    for name, value in values.items():
        if not isinstance(value, dict):
            told = ", ".join(value) or "none" if isinstance(value, list) else value
            lines.append(f"{name.replace('_', ' '):<{left}}{told:>{right}}")
    return lines


@dataclass(slots=True)
class FaultLine:
    """How often a fault was done, and how long the slowest recovery took."""

    id: str
    title: str
    touches: str
    done: int = 0
    touched: int = 0
    slowest_recovery_s: float | None = None
    not_done_because: str = ""

    def __str__(self) -> str:
        seconds = self.slowest_recovery_s
        recovery = "" if seconds is None else f"{seconds:.1f} s"
        touched = f"{self.touched} {self.touches}" if self.done else ""
        title = f"{self.id:<4} {self.title}"
        return f"{title:<34}{self.done:>4}{touched:>16}{recovery:>18}".rstrip()


@dataclass(slots=True)
class Proof:
    """All that is printed."""

    told: Told
    found: Found
    ids: Mapping[int, str]
    faults: list[FaultLine]
    outcomes: Counter[str]  # of attempts that did not succeed
    within: float
    #: Problems apart from the canaries.
    troubles: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Return what is wrong, with the runs to look at."""
        found = self.found
        told = [
            self._name(found.lost, "lost"),
            self._name(found.twice, "twice"),
            self._name(found.given_up, "given up"),
            self._name(found.open, f"still open after {self.within:.0f} s"),
            self._name(found.ghosts, "of what was rolled back"),
            "" if self.told.sent else "no canary was sent",
            "" if any(line.done for line in self.faults) else "no fault was done",
            *self.troubles,
        ]
        return [problem for problem in told if problem]

    def _name(self, numbers: Collection[int], what: str) -> str:
        if not numbers:
            return ""
        named = [self.ids.get(n, f"number {n}") for n in sorted(numbers)[:NAMED]]
        more = ", ..." if len(numbers) > NAMED else ""
        return f"{len(numbers)} {what} ({', '.join(named)}{more})"

    @property
    def verdict(self) -> str:
        """Return the last line."""
        problems = self.problems
        return f"FAILED: {'; '.join(problems)}." if problems else PASSED

    def figures(self) -> dict[str, Any]:
        """Return the upper half of the table."""
        durations = sorted(self.told.durations) or [0.0]
        found = self.found
        right, wrong = len(found.once), (found.lost, found.twice, found.given_up)
        return {
            "sent": right + sum(map(len, wrong)) + len(found.open),
            "rolled_back": len(self.told.undone),
            "effects_exactly_once": right,
            "lost": len(found.lost),
            "twice": len(found.twice),
            "given_up": len(found.given_up),
            "still_open": len(found.open),
            "left_by_a_rollback": len(found.ghosts),
            "attempts_crashed_and_rescued": self.outcomes["crashed"],
            "attempts_failed_and_retried": self.outcomes["failed"],
            "slowest_send_ms": round(durations[-1] * 1000, 1),
            "p99_of_sends_ms": round(durations[len(durations) * 99 // 100] * 1000, 1),
        }

    def asdict(self) -> dict[str, Any]:
        """Return it for JSON."""
        faults = [asdict(line) for line in self.faults]
        told = {"problems": self.problems, "verdict": self.verdict}
        return {**self.figures(), "faults": faults, **told}

    def lines(self) -> list[str]:
        """Return it for people."""
        head = f"{'':<34}{'done':>4}{'touched':>16}{'slowest recovery':>18}"
        omitted = [
            f"{line.id} was not done: {line.not_done_because}."
            for line in self.faults
            if not line.done
        ]
        rows = map(str, self.faults)
        return [
            *table(self.figures(), 30, 8),
            "",
            head,
            *rows,
            *omitted,
            "",
            self.verdict,
        ]
