"""A pytest plugin: a whole run that takes too long says where it stands, and ends.

With TEST_MINUTES, in every process of pytest-xdist. Not by faulthandler's own timer:
pytest stops that one when a test fails.
"""

import faulthandler
import os
import threading

import pytest

#: The standard error as it is before pytest captures it.
STDERR = os.dup(2)


def pytest_configure(config: pytest.Config) -> None:
    """Start the clock."""
    if minutes := os.environ.get("TEST_MINUTES"):
        timer = threading.Timer(60 * float(minutes), give_up, [minutes])
        timer.daemon = True
        timer.start()


def give_up(minutes: str) -> None:
    """Print the stacks of all threads, and end this process."""
    os.write(STDERR, f"\nNot done after {minutes} minutes:\n".encode())
    faulthandler.dump_traceback(STDERR, all_threads=True)
    os._exit(1)
