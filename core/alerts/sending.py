"""Telling the receivers: each in a thread of its own, within a deadline.

A receiver that is slow holds up nobody but itself: not the clock, not the others.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass

from django.db import Error, connections

from core.alerts import notices
from core.alerts.loops import LOOK_SECONDS, Loop
from core.alerts.plan import declared
from core.alerts.receivers import SECONDS, Receiver
from core.errors import NotDelivered
from core.models import Notice
from core.secrets.redaction import hiding, redact, told

logger = logging.getLogger(__name__)

#: Seconds for deliveries under way to finish when the process stops.
FINISH_SECONDS = 3.0
#: Seconds beyond its deadline before a delivery is given up.
SLACK = 1.0
#: Characters of an answer that are kept.
_LONGEST = 500


@dataclass(slots=True)
class Answer:
    """The outcome of one try."""

    ok: bool
    text: str


@dataclass(slots=True)
class Flight:
    """One try that is under way."""

    database: str
    notice: Notice
    answer: "Future[Answer]"
    deadline: float
    #: It was too slow: that has been noted, and its thread is still there.
    is_late: bool = False


class Sender(Loop):
    """Sends what is due; one notice at a time to each receiver."""

    name = "alert-sender"

    def __init__(self) -> None:
        super().__init__()
        self._flights: list[Flight] = []

    def step(self, database: str) -> None:
        """Note what has arrived; send what is due and free."""
        for flight in [one for one in self._flights if one.database == database]:
            if land(flight):
                self._flights.remove(flight)
        busy = {flight.notice.receiver for flight in self._flights}
        receivers = declared().receivers
        free = [name for name in receivers if name not in busy]
        for notice in notices.claim(database, free) if free else ():
            flight = launch(database, notice, receivers[notice.receiver])
            self._flights.append(flight)
            flight.answer.add_done_callback(lambda _: self.wake.set())

    def pause(self) -> float:
        """Return the seconds until the next look, or until something is late."""
        ends = [one.deadline for one in self._flights if not one.is_late]
        return max(0.05, min([LOOK_SECONDS, *(end - time.monotonic() for end in ends)]))

    def finish(self) -> None:
        """Note what arrives within a moment; another process sends the rest."""
        wait([flight.answer for flight in self._flights], FINISH_SECONDS)
        try:
            for flight in self._flights:
                land(flight)
        except Error as error:
            logger.warning("Could not note what was told: %s", error)


def launch(
    database: str, notice: Notice, receiver: Receiver, seconds: float = SECONDS
) -> Flight:
    """Start a thread that tells a receiver."""
    answer: Future[Answer] = Future()
    # Not a pool's thread: those are waited for when the process ends.
    thread = threading.Thread(
        target=_deliver,
        args=(answer, lambda: receiver.send(notice, seconds), receiver),
        name=f"switchyard-alert-to-{notice.receiver}",
        daemon=True,
    )
    thread.start()
    return Flight(database, notice, answer, time.monotonic() + seconds + SLACK)


def land(flight: Flight) -> bool:
    """Note the answer, or that there is none in time; say whether its thread ended."""
    if flight.answer.done():
        answer = flight.answer.result()
        if answer.ok:
            notices.sent(flight.database, flight.notice, answer.text)
        else:
            notices.failed(flight.database, flight.notice, answer.text)
        return True
    if not flight.is_late and time.monotonic() >= flight.deadline:
        notices.failed(flight.database, flight.notice, _late(SECONDS))
        flight.is_late = True
    return False


def ask(notice: Notice, receiver: Receiver, seconds: float = SECONDS) -> Answer:
    """Tell a receiver here and now; return what it answered."""
    flight = launch("", notice, receiver, seconds)
    try:
        return flight.answer.result(seconds + SLACK)
    except TimeoutError:
        return Answer(False, _late(seconds))


def _late(seconds: float) -> str:
    return f"no answer within {seconds:g} s"


def _deliver(
    answer: "Future[Answer]", send: Callable[[], str], receiver: Receiver
) -> None:
    found = Answer(False, "its thread ended without an answer")
    try:
        found = _tried(send, receiver)
    finally:
        found.text = found.text[:_LONGEST]
        connections.close_all()  # some e-mail backends have used one
        answer.set_result(found)


def _tried(send: Callable[[], str], receiver: Receiver) -> Answer:
    with hiding(list(getattr(receiver, "secrets", ()))):
        try:
            return Answer(True, redact(str(send())))
        except NotDelivered as error:
            return Answer(False, redact(str(error)))
        except Exception as error:  # whatever a receiver raises: it is the answer
            return Answer(False, told(error))
