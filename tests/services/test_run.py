"""What holds for a whole run of the tests."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.services.environment import BLOCK, Ports
from tests.services.server import stop
from tests.services.waiting import wait_for

CONFIG = Path(__file__).parents[2] / "pyproject.toml"
#: Says that it runs, and hears nothing.
DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_two_runs_choose_from_different_ports() -> None:
    one, other = Ports(), Ports()
    chosen = [{ports.free() for _ in range(BLOCK)} for ports in (one, other)]
    assert chosen[0].isdisjoint(chosen[1])


def test_port_that_is_kept_is_not_given_again() -> None:
    ports = Ports()
    kept = ports.keep()
    assert kept not in {ports.free() for _ in range(2 * BLOCK)}


def test_process_that_does_not_stop_is_killed_with_its_children() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        child = int(process.stdout.readline())
        assert not stop(process, 0.2)
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def pytest_of(test: Path, text: str, **environment: str) -> CompletedProcess[str]:
    """Run one test under our own configuration."""
    test.write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", f"--config-file={CONFIG}", str(test)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_run_that_hangs_prints_its_stacks_and_ends(tmp_path: Path) -> None:
    text = "import time\n\ndef test_hanging(): time.sleep(600)\n"
    ended = pytest_of(tmp_path / "test_hanging.py", text, TEST_MINUTES="0.1")
    assert ended.returncode == 1
    assert "Not done after 0.1 minutes" in ended.stderr
    assert "in test_hanging" in ended.stderr


def test_error_in_a_thread_fails_its_test(tmp_path: Path) -> None:
    text = (
        "import threading\n\n"
        "def test_thread():\n"
        "    thread = threading.Thread(target=int, args=['x'])\n"
        "    thread.start()\n"
        "    thread.join()\n"
    )
    ended = pytest_of(tmp_path / "test_thread.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "invalid literal for int()" in ended.stdout
