"""How long things may take: the one table of BROKERS[alias]["TIMING"], in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from core.errors import BrokerConfigError, UnknownOption


@dataclass(frozen=True, slots=True)
class Timing:
    """Every value is a number of seconds, greater than 0."""

    lease: float = 15  # after this silence, a worker's runs are given to others
    heartbeat: float = 5  # between two renewals of a lease
    rescue: float = 2  # between two searches for runs of silent workers
    relay: float = 0.5  # between two searches for waiting runs
    grace: float = 1.5  # the sender's own publisher has this long before the relay
    reserve: float = 5  # for which a run stays reserved if its relay died
    lost: float = 20  # after publishing; a free worker should have started it
    unknown: float = 3600  # after which a run of an unknown actor is dead
    stuck: float = 10  # after the time limit; then the process is replaced
    stop: float = 30  # for running bodies at a graceful stop

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
