"""A supervisor that is to have more processes, or fewer, or none."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from core import brokers
from core.processes.autoscale import Autoscale
from core.processes.clock import Clock
from core.processes.supervisor import Supervisor
from tests.core.one_queue import ALIAS
from tests.services.waiting import PATIENCE, wait_for

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


#: Tell a supervisor to stop while it waits: in the wait of an Event, with its lock.
TOLD = f"""
import signal, sys, time
import django
django.setup()
from core import brokers
from core.processes.clock import Clock
from core.processes.supervisor import Supervisor

def tell(frame, event, argument):
    callers = (frame, frame.f_back, frame.f_back and frame.f_back.f_back)
    mine = any(one and one.f_code is Supervisor.run.__code__ for one in callers)
    locked = event == "call" and frame.f_code.co_qualname == "Condition.wait"
    if mine and (locked or argument is time.sleep):
        sys.setprofile(None)
        signal.raise_signal(signal.SIGTERM)

supervisor = Supervisor(Clock(brokers["{ALIAS}"], []), [], 0)
sys.setprofile(tell)
supervisor.run()
assert sys.getprofile() is None, "it was told"
"""


def test_supervisor_that_is_told_while_it_waits_stops() -> None:
    subprocess.run([sys.executable, "-c", TOLD], check=True, timeout=SECONDS * PATIENCE)
