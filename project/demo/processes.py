"""The processes of a running shop: web and worker, started and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a TCP port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Shop:
    """The web server and the worker of one engine; logs go to a folder."""

    def __init__(self, environment: Mapping[str, str], port: int, logs: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {**os.environ, **environment}
        self._logs = logs
        self._port = port
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *, scheduler: bool = False) -> None:
        """Start both, and a scheduler if asked; return when the shop answers."""
        python = sys.executable
        web = [python, "-m", "waitress", f"--listen=127.0.0.1:{self._port}"]
        self._spawn("web", [*web, "--threads=8", "project.wsgi:application"])
        self._spawn("worker", [python, "manage.py", "worker", "--processes=2"])
        if scheduler:
            self._spawn("scheduler", [python, "manage.py", "scheduler"])
        self._wait(30)

    def _spawn(self, name: str, command: list[str]) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own command lines
                command,
                cwd=PROJECT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=5):  # noqa: S310  # http only
                    return
            except (urllib.error.URLError, OSError) as error:
                ended = [p for p in self._processes if p.poll() is not None]
                if ended or time.monotonic() > deadline:
                    raise SystemExit(
                        f"The shop did not start ({error}); see {self._logs}."
                    ) from error
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop both; return when they have ended."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()
