"""The actors: what became of their runs in a period, and how long it took."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from core.broker.handler import brokers
from core.errors import CoreError
from core.monitoring.figures import Figures, figures
from core.monitoring.windows import over, tallies
from core.options import Options
from core.registry import Declared, registry
from core.runs.tally import Tally

#: The default period.
PERIOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ActorSnapshot(Figures):
    """The outcomes of one actor's runs in one queue of one alias."""

    name: str
    broker: str
    queue: str
    #: Declared in this process.
    declared: bool


def actors(period: timedelta = PERIOD, broker: str = "") -> list[ActorSnapshot]:
    """Return every actor that is declared, or that had runs end in the period."""
    found: dict[tuple[str, str, str], Tally] = defaultdict(Tally)
    for window in over(period, broker):
        for actor, queue, tally in tallies(window.rows()):
            found[(actor, window.broker, queue)].add(tally)
    aliases = [broker] if broker else list(brokers)
    for key in map(declared_key, registry):
        if key[1] in aliases:
            found.setdefault(key, Tally())
    return [
        ActorSnapshot(
            name=name,
            broker=alias,
            queue=queue,
            declared=name in registry,
            **figures(tally),
        )
        for (name, alias, queue), tally in sorted(found.items())
    ]


def declared_key(actor: Declared) -> tuple[str, str, str]:
    """Return an actor's name, and where its messages go unless they say otherwise."""
    alias = actor.options.get("broker", Options().broker)
    try:
        queue = brokers[alias].queue_of(actor)
    except CoreError:  # `manage.py check` tells of it
        queue = ""
    return actor.actor_name, alias, queue
