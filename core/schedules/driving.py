"""The common part of every driver, whatever keeps its time."""

import logging
import os
import socket

from django.db import Error, close_old_connections, connections

from core.broker.handler import brokers
from core.outages import Outage
from core.schedules.registry import sync
from core.schedules.ticking import BUSY_WAIT, LONGEST_WAIT, tick

logger = logging.getLogger(__name__)


class Driver:
    """One scheduler among any number; survives a database that is away."""

    def __init__(self, kind: str) -> None:
        #: The driver's name, recorded in each fire.
        self.name = f"{kind} {socket.gethostname()}-{os.getpid()}"
        self._is_synced = False
        self._outage = Outage(
            logger, f"{self.name} cannot tick", f"{self.name} ticks again"
        )

    def tick(self) -> float:
        """Fire what is due; return after how many seconds to come again.

        Raises `CoreError` the first time if a declared schedule cannot be.
        """
        try:
            close_old_connections()
            if not self._is_synced:
                self._sync()
            wait = tick(driver=self.name).wait
        except Error as error:
            self._survive(error)
            return LONGEST_WAIT
        self._outage.end()
        return max(wait, BUSY_WAIT)

    def _sync(self) -> None:
        done = sync()
        self._is_synced = True
        logger.info(
            "%s drives the schedules; %d declared ones were new, %d changed, %d gone.",
            *(self.name, done.made, done.changed, done.retired),
        )

    def _survive(self, error: Error) -> None:
        """Begin anew with the database; say what is wrong, once."""
        for database in brokers.databases():
            connections[database].close()
        self._outage.begin(error)
