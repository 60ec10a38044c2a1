"""The command of docs/how-to/write-a-backend.md, as somebody else would give it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.stacks import PROJECT


def conformance(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the suite in a test run of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/conformance", *options],
        cwd=PROJECT,
        env={k: v for k, v in os.environ.items() if not k.startswith("TEST_")},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.slow
def test_backend_of_a_third_party_can_be_tried(tmp_path: Path) -> None:
    backend = ["--backend=tests.toy.backend.ToyBackend", f"--url={tmp_path.as_uri()}"]
    ended = conformance(
        *backend, "-k", "runs_once or parked or flags or another or step or overtake"
    )
    assert ended.returncode == 0, ended.stdout
    assert "says it cannot: server" in ended.stdout
    assert "[toy]" not in ended.stdout
    assert list(tmp_path.glob("waiting/*.yours.default"))


def test_missing_backend_is_named() -> None:
    ended = conformance("--backend=tests.toy.backend.NoBackend", "--collect-only")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "NoBackend" in ended.stderr
