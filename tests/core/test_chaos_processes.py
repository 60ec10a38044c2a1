"""The processes that chaos may hurt, and how it lets go of them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.db.models.functions import Now

from core.chaos.faults import nobody_here
from core.chaos.interruption import Interruption
from core.chaos.processes import frozen, victims
from core.chaos.stage import Stage
from core.models import Worker
from core.runs import later
from core.worker.lease import SUPERVISOR
from tests.services.waiting import wait_for


def row(pid: int, supervisor: str, host: str = "") -> Worker:
    return Worker.objects.create(
        name=f"test-{pid}",
        broker="default",
        engine="inprocess",
        supervisor=supervisor,
        host=host or socket.gethostname(),
        pid=pid,
        queues=["default"],
        threads=2,
        started_at=Now(),
        lease_until=later(60),
    )


@contextmanager
def process(supervisor: str) -> Iterator[psutil.Process]:
    """Run a process that counts, with a supervisor's mark in its environment."""
    started = subprocess.Popen(
        [sys.executable, "-c", "while True: pass"],
        env={**os.environ, SUPERVISOR: supervisor},
    )
    try:
        yield psutil.Process(started.pid)
    finally:
        started.kill()
        started.wait()


@pytest.mark.slow
@pytest.mark.django_db
def test_only_a_process_with_its_supervisors_mark_may_be_hurt() -> None:
    with process("7-abc") as child:
        mine = row(child.pid, "7-abc")
        # Its environment can be read a moment after its start.
        (victim,) = wait_for(lambda: victims([mine]), 30)
        assert victim.process == child
        assert nobody_here(Stage("default", "default")) == ""
        assert "workers run on: nowhere" in nobody_here(Stage("default", "elsewhere"))
        for change in (
            {"supervisor": "7-abd"},  # its pid is another's by now
            {"supervisor": ""},  # nobody would start it again
            {"host": "another.example"},
            {"pid": os.getpid()},
        ):
            other = Worker.objects.get(pk=mine.pk)
            for name, value in change.items():
                setattr(other, name, value)
            assert victims([other]) == [], change


@pytest.mark.slow
def test_frozen_process_goes_on_even_if_we_are_killed() -> None:
    with process("7-abc") as child:
        program = (
            "import psutil, time; from core.chaos.processes import frozen\n"
            f"with frozen(psutil.Process({child.pid})): time.sleep(600)"
        )
        started = [sys.executable, "-c", "import django; django.setup()\n" + program]
        settings = {"DJANGO_SETTINGS_MODULE": "settings.test"}
        freezer = subprocess.Popen(started, env={**os.environ, **settings})
        try:
            stopped = psutil.STATUS_STOPPED
            wait_for(lambda: child.status() == stopped, 30, "it stands still")
        finally:
            freezer.send_signal(signal.SIGKILL)
            freezer.wait()
        wait_for(lambda: child.status() != stopped, 30, "it goes on")


@pytest.mark.slow
def test_frozen_process_goes_on_after_an_error() -> None:
    with process("7-abc") as child:
        with pytest.raises(KeyboardInterrupt), frozen(child):
            wait_for(lambda: child.status() == psutil.STATUS_STOPPED, 30)
            raise KeyboardInterrupt
        wait_for(lambda: child.status() != psutil.STATUS_STOPPED, 30)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_interruption_waits_for_the_next_pause() -> None:
    interruption = Interruption()
    with interruption.blocked():
        press()
        with pytest.raises(KeyboardInterrupt):
            interruption.pause(30)
        interruption.pause(0)


def test_second_interruption_does_not_wait() -> None:
    with Interruption().blocked():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
