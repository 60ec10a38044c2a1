"""A supervisor that is to have more processes, or fewer."""

import os
import signal
import threading

import psutil
import pytest

from core import brokers
from core.processes.autoscale import Autoscale
from core.processes.clock import Clock
from core.processes.supervisor import Supervisor
from tests.core.one_queue import ALIAS
from tests.services.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 20


def children() -> int:
    """Return how many processes of ours are there and have not ended."""
    mine = psutil.Process().children()
    return sum(child.status() != psutil.STATUS_ZOMBIE for child in mine)


def test_processes_are_started_and_ended_as_they_are_wanted() -> None:
    broker, seen, others = brokers[ALIAS], [], children()
    scale = Autoscale(broker, [], 1, 3)

    def operate() -> None:
        try:
            for wanted in (1, 3, 1):
                scale.wanted = wanted
                wait_for(lambda n=wanted: children() - others == n, SECONDS)
                seen.append(wanted)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    operator = threading.Thread(target=operate)
    operator.start()
    try:
        Supervisor(Clock(broker, [], scale), ["sleep", "60"], 1).run()
    finally:
        operator.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert seen == [1, 3, 1]
    assert children() == others
