"""The kinds of rules: the one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

#: The keys of a rule that every kind takes.
COMMON = ("when", "for", "repeat", "resolved", "to")
_OF_RUNS = ("broker", "queue", "actor")
_OF_QUEUES = ("broker", "queue")
_MINUTES, _HOUR = timedelta(minutes=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be wrong."""

    meaning: str
    #: The keys that it takes besides `COMMON`.
    keys: tuple[str, ...]
    #: The default threshold; a number or seconds.
    above: float = 0
    #: The default period of what is counted.
    within: timedelta = _HOUR
    #: The least number of attempts.
    at_least: int = 0


KINDS: Mapping[str, Kind] = {
    "failures": Kind(
        "Failed attempts of an actor.",
        ("above", "within", *_OF_RUNS),
        above=10,
        within=_MINUTES,
    ),
    "failure_rate": Kind(
        "The share of an actor's attempts that failed, 0 to 1.",
        ("above", "within", "at_least", *_OF_RUNS),
        above=0.5,
        within=_MINUTES,
        at_least=20,
    ),
    "backlog": Kind(
        "Runs of a queue that could start now.", ("above", *_OF_QUEUES), above=1000
    ),
    "oldest_wait": Kind(
        "The longest wait of a run of a queue that could start.",
        ("above", *_OF_QUEUES),
        above=60,
    ),
    "dead_letters": Kind(
        "Runs that died and are still dead; parked messages.",
        ("above", "within", *_OF_RUNS),
    ),
    "poison": Kind(
        "Dead runs that killed their processes.", ("above", "within", *_OF_RUNS)
    ),
    "no_worker": Kind("A queue has work, and no live worker serves it.", _OF_QUEUES),
    "missed_slot": Kind(
        "A schedule is overdue, has missed slots, or cannot be sent.",
        ("above", "within", "schedule"),
        above=30,
    ),
    "broker_down": Kind("A broker does not answer within a second.", ("broker",)),
}
