"""Exceptions raised from outside in a running body."""

import subprocess
import sys
import threading

import pytest

from core import LeaseLost
from core.worker.interrupts import Interrupts
from tests.services.waiting import wait_for

PROFILED = """
import cProfile
from core.worker.interrupts import Interrupts

def body():
    return 1

interrupts = Interrupts()
with cProfile.Profile():
    for _ in range(100):
        interrupts.guard(body)
"""


def test_body_can_run_under_a_profiler() -> None:
    subprocess.run([sys.executable, "-c", PROFILED], check=True, timeout=20)


def test_running_body_is_interrupted() -> None:
    interrupts, running, ended = Interrupts(), threading.Event(), []

    def body() -> None:
        running.set()
        while True:
            pass

    def work() -> None:
        with pytest.raises(LeaseLost):
            interrupts.guard(body)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    assert running.wait(10)
    assert interrupts.raise_in_all(LeaseLost) == 1
    wait_for(lambda: ended)


def test_body_that_has_ended_is_not_interrupted() -> None:
    interrupts = Interrupts()
    assert interrupts.guard(lambda: 1) == 1
    assert interrupts.raise_in_all(LeaseLost) == 0
