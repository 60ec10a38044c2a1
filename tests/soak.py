"""Chosen tests again and again, beside processes that keep every processor busy.

    python -m tests.soak 30 tests/core/test_lease.py -k blocks

Prints each run as it ends, and how many of them failed; the output of those is kept.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[1]
LOGS = PROJECT / "var" / "soak"
BURN = [sys.executable, "-c", "while True: pass"]


@contextmanager
def burning() -> Iterator[None]:
    """Keep every processor busy."""
    burners = [subprocess.Popen(BURN) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def run(number: int, tests: list[str]) -> bool:
    """Run the tests once; say whether they passed, and keep the output if not."""
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests],
        cwd=PROJECT,
        env={**os.environ, "SOAK": str(number)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    passed, log = ended.returncode == 0, LOGS / f"{number}.log"
    if not passed:
        log.write_bytes(ended.stdout)
    verdict = "passed" if passed else f"FAILED, see {log.relative_to(PROJECT)}"
    print(f"{number:3}  {time.monotonic() - started:5.0f} s  {verdict}", flush=True)
    return passed


def main(times: int, tests: list[str]) -> int:
    """Run the tests so often; return 1 if they failed at all."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with burning():
        passed = sum(run(number, tests) for number in range(1, times + 1))
    print(f"{times - passed} failures in {times}: {' '.join(tests)}")
    return int(passed < times)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
