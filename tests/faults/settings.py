"""The shop's own settings, and what a scenario changes through the environment.

FAULTS_TIMING     TIMING of the default broker, as JSON
FAULTS_RETENTION  RETENTION of the default broker, as JSON
FAULTS_OPTIONS    OPTIONS of its backend, as JSON
FAULTS_ALERTS     ALERTS, as JSON; and a schedule that fires every 20 s
FAULTS_FAILPOINT  see `tests.faults.failpoints`
FAULTS_MUTATION   see `tests.faults.mutations`
FAULTS_RELEASE    which actors `tests.faults.tasks` declares
FAKETIME...       the clock of libfaketime, see F21
FAKETIME_RATE     how much faster than time it is, see F31
"""

import json
import os
import select
import threading
import time

from core import every
from settings.base import BROKERS, INSTALLED_APPS
from settings.dev import *  # noqa: F403  # an environment is the base and its changes
from settings.environment import env

DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.apps.FaultsConfig"]
BROKERS["default"]["TIMING"] = json.loads(env.str("FAULTS_TIMING", default="{}"))
BROKERS["default"]["RETENTION"] = json.loads(env.str("FAULTS_RETENTION", default="{}"))
BROKERS["default"]["OPTIONS"] = json.loads(env.str("FAULTS_OPTIONS", default="{}"))
if "FAULTS_ALERTS" in os.environ:
    ALERTS = json.loads(os.environ["FAULTS_ALERTS"])
    SCHEDULES = {
        "often": {
            "actor": "tests.faults.tasks.slow",
            "args": [0.0],
            "trigger": every(seconds=20),
        }
    }

if "FAKETIME_DONT_FAKE_MONOTONIC" in os.environ:
    # libfaketime 0.9.10 refuses the kind of sleep that Python asks for since 3.11.
    time.sleep = lambda seconds: select.select([], [], [], seconds)

if "FAKETIME_RATE" in os.environ:
    # Nor does it know the kind of wait that threads use: it would last as it is.
    RATE = float(os.environ["FAKETIME_RATE"])
    wait = threading.Condition.wait

    def faster(self: threading.Condition, timeout: float | None = None) -> bool:
        """Wait as long as the faked clock says."""
        return wait(self, None if timeout is None else timeout / RATE)

    threading.Condition.wait = faster
