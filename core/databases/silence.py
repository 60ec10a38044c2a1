"""Database connections that have fallen silent are found, and cut.

After a failover, or where a balancer has forgotten a connection, a reply never comes,
and no reset says so. Keepalives find the one whose packets nobody acknowledges; the
other kind looks alive, and a thread waits on it for ever. So one thread per process
looks at those that wait for a reply, and asks their server on a new connection: a
statement that the server does not work on was never received, or its reply is lost.
A long query is left alone.
"""

import logging
import os
import select
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

#: Seconds between two looks.
LOOK_SECONDS = 1.0
#: A connection that waits at every look for this long, s, is asked about; and again.
SILENT_SECONDS = 5.0
#: Seconds that the server must have been idle on it: more than between two looks.
IDLE_SECONDS = 2.0
#: Seconds for connecting, and again for the question.
ASK_SECONDS = 3
#: What libpq calls a connection with a statement under way.
ACTIVE = 1

#: Which of these sessions does the server work on, or did so a moment ago? `idle` is
#: said of those that wait for their client.
_BUSY = """
    SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND NOT (
        coalesce(state, 'unknown') LIKE 'idle%%'
        AND clock_timestamp() - state_change > make_interval(secs => %s))
"""


class Watch:
    """The connections of this process, and the thread that looks at them."""

    def __init__(self, silent: float = SILENT_SECONDS) -> None:
        self.silent = silent
        self._lock = threading.Lock()
        self._wrappers: WeakSet[BaseDatabaseWrapper] = WeakSet()
        self.reset()

    def reset(self) -> None:
        """Forget the thread: after a fork there is none."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        #: A driver's connection that waits -> since when, and when to ask next.
        self._waiting: dict[Any, tuple[float, float]] = {}

    def note(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        """Remember a new connection; the receiver of Django's signal."""
        if connection.vendor == "postgresql":
            with self._lock:
                self._wrappers.add(connection)

    def start(self) -> None:
        """Look from now on."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="switchyard-silence", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
            except Exception:  # without this thread all would wait for ever
                logger.exception("Could not look for silent database connections.")

    def look(self) -> None:
        """Find the connections that have waited long, and cut those that are lost."""
        now = time.monotonic()
        with self._lock:
            here = [(wrapper, wrapper.connection) for wrapper in self._wrappers]
        waiting = {raw: wrapper for wrapper, raw in here if _awaits_reply(raw)}
        self._waiting = {
            raw: self._waiting.get(raw, (now, now + self.silent)) for raw in waiting
        }
        suspects = defaultdict(list)
        for raw, (since, ask_at) in self._waiting.items():
            if now >= ask_at:
                self._waiting[raw] = (since, now + self.silent)
                suspects[waiting[raw].alias].append(raw)
        for alias, raws in suspects.items():
            for raw in _lost(waiting[raws[0]], raws):
                _cut(alias, raw, now - self._waiting[raw][0])


def _awaits_reply(raw: Any) -> bool:
    """Return True if a statement is under way of which nothing has come back."""
    try:
        if raw is None or raw.closed or raw.info.transaction_status != ACTIVE:
            return False
        # A thread that was stopped, or starved, has its reply and has not read it.
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        return not poll.poll(0)
    except Exception:  # closed by its own thread meanwhile: each driver raises its own
        return False


def _lost(wrapper: BaseDatabaseWrapper, raws: Sequence[Any]) -> Sequence[Any]:
    """Return those of a database's connections on whose statements no server works.

    None of them, if it cannot be asked now.
    """
    by_pid = {raw.info.backend_pid: raw for raw in raws if _awaits_reply(raw)}
    probe = _probe(wrapper)
    # Connecting has a deadline of its own, of the same length.
    timer = threading.Timer(2 * ASK_SECONDS, lambda: _shut_down(probe.connection))
    timer.daemon = True
    timer.start()
    try:
        probe.ensure_connection()
        with probe.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()", [])
            if cursor.fetchone()[0] != probe.connection.info.backend_pid:
                return ()  # behind a pooler nobody can tell
            cursor.execute(_BUSY, [list(by_pid), IDLE_SECONDS])
            busy = {pid for (pid,) in cursor.fetchall()}
    except Error as error:
        logger.debug("Could not ask about silent connections: %s", error)
        return ()
    finally:
        timer.cancel()
        with suppress(Error):
            probe.close()
    idle = [raw for pid, raw in by_pid.items() if pid not in busy]
    return [raw for raw in idle if _awaits_reply(raw)]


def _probe(wrapper: BaseDatabaseWrapper) -> Any:
    """Return a connection of its own to the same server, with a deadline."""
    probe = wrapper.copy()
    options: Mapping[str, Any] = probe.settings_dict.get("OPTIONS", {})
    probe.settings_dict["OPTIONS"] = {
        name: value for name, value in options.items() if name != "pool"
    } | {"connect_timeout": ASK_SECONDS}
    return probe


def _cut(alias: str, raw: Any, seconds: float) -> None:
    """Let the thread that waits have its error."""
    logger.error(
        "Cut a connection to the database %r after %.0f s of silence: the server does"
        " not work on its statement.",
        alias,
        seconds,
    )
    _shut_down(raw)


def _shut_down(raw: Any) -> None:
    """End a connection under the thread that waits on it: closing it would not."""
    # Each driver has errors of its own for one that was closed meanwhile.
    with suppress(Exception), socket.socket(fileno=os.dup(raw.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


_watch = Watch()
start = _watch.start
connection_created.connect(_watch.note, dispatch_uid="switchyard-silence")
os.register_at_fork(after_in_child=_watch.reset)
