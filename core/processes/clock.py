"""The loop beside the workers: relay what waits, rescue what was left, find the lost.

Any number of processes may run it; none is the leader.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

from django.db import Error, close_old_connections, connections

from core import runs
from core.broker.broker import Broker
from core.databases import silence
from core.errors import BrokerUnavailable
from core.models import Worker
from core.outages import Outage
from core.processes.autoscale import Autoscale
from core.registry import registry
from core.relay.relay import Round

logger = logging.getLogger(__name__)

#: Seconds between two rounds while the broker runs low.
BUSY_SECONDS = 0.02
#: Seconds between two rounds while there is hardly any room, or none: that may change
#: at any moment. Each round asks the database five times, whatever it publishes.
FULL_SECONDS = 0.1
#: Rounds of the rescue for one sweep of results, keys and rows that are too old.
SWEEP_ROUNDS = 30
#: Seconds to the next sweep, or count, if there is more to do.
MORE_SECONDS = 1.0
#: Seconds between two looks whether a minute can be counted.
COUNT_SECONDS = 5.0
#: Seconds between two looks how many processes there should be.
SCALE_SECONDS = 0.5


class Clock:
    """Keeps one broker alias going, in a thread of a parent process."""

    def __init__(
        self,
        broker: Broker,
        queues: Sequence[str],
        autoscale: Autoscale | None = None,
    ) -> None:
        self.broker = broker
        self.queues = queues
        self.autoscale = autoscale
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._rescue_at = 0.0
        self._sweep_at = 0.0
        self._count_at = 0.0
        self._scale_at = 0.0
        #: Due runs that must run alone: the supervisor looks at it.
        self.suspects = 0
        self._next_start: float | None = None
        self._outage = Outage(logger, "Cannot relay", "Relaying again")
        self._thread = threading.Thread(
            target=self._run, name="switchyard-clock", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        silence.start()
        self._thread.start()

    def stop(self) -> None:
        """End the thread after its present round."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def rescue_now(self) -> None:
        """Do not wait for the next round: a worker has just died."""
        self._rescue_at = 0.0
        self._wake.set()

    def _run(self) -> None:
        self._guarded(self._welcome)
        while not self._stop.is_set():
            done = self._guarded(self.round)
            self._wake.wait(self._interval(done))
            self._wake.clear()
        connections.close_all()

    def _welcome(self) -> Round:
        """A new release may have brought actors that runs wait for."""
        broker = self.broker
        actors = [actor.actor_name for actor in registry]
        runs.welcome(broker.database, broker.alias, actors)
        return Round()

    def _interval(self, done: Round) -> float:
        """Return the seconds to wait; the more clocks there are, the longer.

        Less, if a rate limit lets something go before that, or if room is awaited.
        """
        if done.published and done.is_low:
            return BUSY_SECONDS
        if done.published or done.is_full:
            return FULL_SECONDS
        parents = {worker.supervisor for worker in self.broker.capacity.cached_workers}
        spread = random.uniform(0.75, 1.25)  # noqa: S311  # spreads load, guards nothing
        pause = self.broker.timing.relay * max(1, len(parents)) * spread
        return pause if self._next_start is None else min(pause, self._next_start)

    def _guarded(self, step: Callable[[], Round]) -> Round:
        """Take a step; survive a broker or a database that is away, and say so once."""
        try:
            close_old_connections()
            done = step()
        except (BrokerUnavailable, Error) as error:
            connections[self.broker.database].close()
            self._outage.begin(error)
            return Round()
        except Exception as error:  # without this thread nothing is relayed
            self._outage.begin(error, expected=False)
            return Round()
        self._outage.end()
        return done

    def round(self) -> Round:
        """Rescue when it is time, relay; return what the relay did."""
        if time.monotonic() >= self._rescue_at:
            self._rescue()
            Worker.forget_silent(self.broker.database)
            self.broker.lost.find()
        self._roll_up()
        self._sweep()
        self.suspects = runs.count_suspects(self.broker.database, self.broker.alias)
        self._scale()
        if self._outage:
            # Before anything is reserved: workers take it from the table meanwhile.
            self.broker.backend.ping()
        done = self.broker.relay.round(self.queues)
        limited = runs.any_limits(self.broker.resolver.rules())
        self._next_start = runs.wait(self.broker.database) if limited else None
        return done

    def _rescue(self) -> None:
        """Rescue; later, if the database let this wait: heartbeats waited as well."""
        timing, asked = self.broker.timing, time.monotonic()
        # Before the rescue: `rescue_now` may be called while it is under way.
        self._rescue_at = asked + timing.rescue
        try:
            runs.rescue(self.broker.database, self.broker.alias, timing.heartbeat)
        finally:
            if time.monotonic() - asked > timing.heartbeat:
                self._rescue_at = time.monotonic() + timing.heartbeat

    def _roll_up(self) -> None:
        """Count what has ended; soon again if there is more to count."""
        if time.monotonic() >= self._count_at:
            more = runs.roll_up(self.broker.database, self.broker.alias)
            self._count_at = time.monotonic() + (
                MORE_SECONDS if more else COUNT_SECONDS
            )

    def _scale(self) -> None:
        """Look how many processes there should be, but not at every busy round."""
        if self.autoscale and time.monotonic() >= self._scale_at:
            self._scale_at = time.monotonic() + SCALE_SECONDS
            self.autoscale.look()

    def _sweep(self) -> None:
        """Drop what nobody may ask for any more, now and then."""
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_ROUNDS * self.broker.timing.rescue
            runs.forget_keys(self.broker.database)
            runs.forget_results(self.broker.database)
            runs.forget_unused(self.broker.database)
            self._prune()

    def _prune(self) -> None:
        """Delete what is kept no longer: a little, and soon again if there is more."""
        broker = self.broker
        counts = runs.prune(broker.database, broker.alias, broker.retention)
        if counts:
            told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
            logger.info("Pruned %s.", told)
            self._sweep_at = time.monotonic() + MORE_SECONDS
