"""Signs of life on a pipe from a supervised process to its supervisor.

From the same pipe it learns that its supervisor is gone: nothing would relay for it.
"""

import os
import signal
import threading
import time

#: Set by the supervisor: the number of the file to write to.
BEATS = "SWITCHYARD_BEATS"
#: Seconds between two beats.
BEAT_SECONDS = 1.0
ALIVE, RETIRING = b".", b"r"

#: What a process is stopped with.
STOPPING = (signal.SIGTERM, signal.SIGINT)

_state = ALIVE
_retiring = threading.Lock()
_masks = threading.local()


def start() -> None:
    """Say that this process is alive from now on, and stop it when nobody listens.

    Without a supervisor, as from a shell, do nothing.
    """
    if BEATS not in os.environ:
        return
    # Not for the processes that a body starts.
    write = int(os.environ.pop(BEATS))
    os.set_blocking(write, False)
    os.register_at_fork(
        before=_hold_signals,
        after_in_parent=_let_signals_come,
        after_in_child=_be_stopped_as_any_other,
    )
    beats = threading.Thread(
        target=_beat, args=(write,), name="switchyard-beats", daemon=True
    )
    beats.start()


def retire() -> bool:
    """Have another process started; take no more messages, and end after the last.

    Returns False if that is under way already: the engine is told to stop once.
    """
    global _state
    if not _retiring.acquire(blocking=False):
        return False
    _state = RETIRING
    os.kill(os.getpid(), signal.SIGTERM)
    return True


def _beat(write: int) -> None:
    while True:
        try:
            os.write(write, _state)
        except BlockingIOError:
            pass  # it is stopped, and will find many
        except OSError:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(BEAT_SECONDS)


def _hold_signals() -> None:
    """Have a signal wait that comes before a forked process has let go of our handlers.

    They would take it, and nobody would look at what they have noted.
    """
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def _let_signals_come() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _be_stopped_as_any_other() -> None:
    """Let go of the worker's handlers in a process that a body has forked."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _let_signals_come()
