"""What holds for a whole run of the tests."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.services.environment import BLOCK, Ports
from tests.services.lateness import SECOND
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


def test_process_that_does_not_stop_tells_where_it_is_and_is_killed() -> None:
    process = subprocess.Popen(
        [sys.executable, "-Xfaulthandler", "-c", DEAF],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        child = int(process.stdout.readline())
        assert not stop(process, 0.2)
        assert b"(most recent call first)" in process.stderr.read()
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def pytest_of(test: Path, text: str, **environment: str) -> CompletedProcess[str]:
    """Run one test under our own configuration, with the plugins of tests/conftest."""
    test.write_text(text)
    config = [f"--config-file={CONFIG}", f"--rootdir={test.parent}"]
    # This run may be the second try of a late test; the inner one is a first.
    inherited = {k: v for k, v in os.environ.items() if k != SECOND}
    plugins = [f"-ptests.services.{name}" for name in ("lateness", "leftovers", "logs")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *config, *plugins, test],
        env={**inherited, **environment},
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


#: The first time, it waits for something that comes after its deadline.
LATE = """
import time
from pathlib import Path
from tests.services.waiting import wait_for

def late(name):
    flag = Path({folder!r}, name)
    if not flag.exists():
        flag.touch()
        start = time.monotonic()
        wait_for(lambda: time.monotonic() > start + 0.2, 0.1, name)

def test_one(): late("one")
def test_two(): late("two")
"""


def test_late_test_is_tried_once_more(tmp_path: Path) -> None:
    text = LATE.format(folder=str(tmp_path))
    ended = pytest_of(tmp_path / "test_late.py", text)
    assert ended.returncode == 0, ended.stdout
    assert "2 failed" in ended.stdout
    assert "test_one: one: after 0.2 s, not within 0.1" in ended.stdout
    assert ended.stdout.count("again   passed") == 2


def test_run_with_three_late_tests_fails(tmp_path: Path) -> None:
    text = LATE.format(folder=str(tmp_path)) + "\ndef test_three(): late('three')\n"
    ended = pytest_of(tmp_path / "test_late.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "3 were late; none is tried again." in ended.stdout


def test_late_test_beside_a_wrong_one_saves_nothing(tmp_path: Path) -> None:
    text = LATE.format(folder=str(tmp_path)) + "\ndef test_wrong(): assert False\n"
    ended = pytest_of(tmp_path / "test_late.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED


def test_test_that_never_succeeds_is_not_tried_again(tmp_path: Path) -> None:
    text = (
        "from tests.services.waiting import wait_for\n\n"
        "def test_never(): wait_for(lambda: False, 0.1, grace=0.1)\n"
    )
    ended = pytest_of(tmp_path / "test_never.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "again" not in ended.stdout


def test_test_that_is_late_twice_fails(tmp_path: Path) -> None:
    text = (
        "from tests.services.waiting import in_time\n\n"
        "def test_slow(): in_time(2, 1, 'it')\n"
    )
    ended = pytest_of(tmp_path / "test_slow.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert ended.stdout.count("test session starts") == 2


def test_test_that_took_too_long_was_late(tmp_path: Path) -> None:
    mark = str(tmp_path / "tried")
    text = (
        "import os\n"
        "from tests.services.waiting import in_time\n\n"
        f"def test_slow(): in_time(2 - os.path.exists({mark!r}), 2, 'it')\n"
        f"def teardown_module(): open({mark!r}, 'w')\n"
    )
    ended = pytest_of(tmp_path / "test_slow.py", text)
    assert ended.returncode == 0, ended.stdout
    assert "test_slow: it: after 2.0 s, not within 2" in ended.stdout


def test_report_of_a_failure_shows_what_was_logged_meanwhile(tmp_path: Path) -> None:
    text = (
        "from pathlib import Path\n"
        "from tests.services.logs import watch\n\n"
        "def test_logged():\n"
        f"    log = Path({str(tmp_path)!r}, 'worker.log')\n"
        "    watch(log)\n"
        "    log.write_text('the last word')\n"
        "    assert False\n"
    )
    ended = pytest_of(tmp_path / "test_logged.py", text)
    assert "/worker.log" in ended.stdout
    assert "the last word" in ended.stdout


def test_process_that_outlives_its_run_fails_it(tmp_path: Path) -> None:
    text = "import subprocess\n\ndef test_leaves(): subprocess.Popen(['sleep', '30'])\n"
    ended = pytest_of(tmp_path / "test_leaves.py", text)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "sleep 30" in ended.stdout
