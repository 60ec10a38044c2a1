"""A process with a body that nothing can stop: it ends as soon as its neighbours have.

A C call does not hear of an interrupt. The run is settled without it; the thread is
lost, and a process that has lost a thread is replaced by its supervisor.
"""

import logging
import os
import threading
import time
from uuid import UUID

from core.worker import beats
from core.worker.lease import SUPERVISOR, Lease

logger = logging.getLogger(__name__)

#: The exit status of a process that gave itself up (EX_SOFTWARE).
GAVE_UP = 70

_leaving = threading.Lock()


def retire(lease: Lease, stuck: UUID) -> None:
    """Take no new messages, let the others end, exit. Only under a supervisor."""
    if SUPERVISOR not in os.environ:
        logger.error("Run %s cannot be interrupted and keeps its thread.", stuck)
        return
    lease.stuck.add(stuck)
    logger.error("Run %s cannot be interrupted: this process ends.", stuck)
    if _leaving.acquire(blocking=False):
        beats.retire()
        threading.Thread(target=_leave, args=(lease,), daemon=True).start()


def _leave(lease: Lease) -> None:
    while not lease.is_idle():
        time.sleep(0.1)
    os._exit(GAVE_UP)
