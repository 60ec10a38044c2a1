"""How long things may take: the one table of BROKERS[alias]["TIMING"], in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from core.errors import BrokerConfigError, UnknownOption


@dataclass(frozen=True, slots=True)
class Timing:
    """Every value is a number of seconds, greater than 0."""

    lease: float = 15  # a worker process that is silent so long has lost its runs
    heartbeat: float = 5  # it renews so often
    rescue: float = 2  # runs of silent workers are looked for so often
    relay: float = 0.5  # waiting runs are looked for so often
    grace: float = 1.5  # the sender's own publisher thread gets so long before that
    reserve: float = 5  # a relay that took a run and died blocks it so long
    lost: float = 20  # published, not started though somebody could: sent again
    unknown: float = 3600  # an actor nobody knows: dead afterwards
    stuck: float = 10  # a body goes on so long after its time limit: beyond help
    stop: float = 30  # running bodies get so long at a graceful stop

    @classmethod
    def read(cls, alias: str, given: Mapping[str, float]) -> Self:
        """Check a TIMING setting; raise `BrokerConfigError` naming what is wrong."""
        known = tuple(f.name for f in fields(cls))
        for name, value in given.items():
            if name not in known:
                raise BrokerConfigError(
                    alias, "TIMING", str(UnknownOption(name, known))
                )
            if not isinstance(value, int | float) or value <= 0:
                raise BrokerConfigError(
                    alias, "TIMING", f"{name} is {value!r}; it must be seconds over 0"
                )
        timing = cls(**given)
        if timing.heartbeat * 2 > timing.lease:
            raise BrokerConfigError(
                alias,
                "TIMING",
                f"lease is {timing.lease:g}; it must be at least twice the heartbeat,"
                f" which is {timing.heartbeat:g}",
            )
        return timing
