"""The processes of a scenario: workers to be hurt, customers who go on ordering."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.services.logs import tail, watch
from tests.services.server import alive, guard, stop
from tests.services.waiting import wait_for

PROJECT = Path(__file__).parents[2]


class Program:
    """A command of ours in a session of its own; `entry` is what Python runs."""

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        log: Path,
        prefix: Sequence[str] = (),
        entry: Sequence[str] = ("manage.py",),
    ) -> None:
        watch(log)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, *entry, *arguments],
                cwd=PROJECT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.log = log
        self._guard = guard(self.process.pid)

    @property
    def pid(self) -> int:
        return self.process.pid

    def tail(self) -> str:
        """Return the end of what it printed."""
        return tail(self.log)

    def ends(self, seconds: float) -> int:
        """Wait for its end; return its exit code."""
        wait_for(
            lambda: self.process.poll() is not None, seconds, f"end of {self.log.name}"
        )
        return self.process.returncode

    def end(self) -> None:
        """Ask it to stop, unless it has ended; kill it if it takes too long."""
        if self._guard.poll() is not None:
            return
        stop(self.process, 40)
        self._guard.communicate(b"\n")

    def kill(self) -> None:
        """kill -9, with all that it started."""
        family = psutil.Process(self.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for process in family:
            if alive(process):
                process.kill()


class Crew(Program):
    """`manage.py worker` with its processes: one machine of workers."""

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        *,
        processes: int = 2,
        threads: int = 4,
        prefix: Sequence[str] = (),
    ) -> None:
        self.processes = processes
        options = [f"--processes={processes}", f"--threads={threads}"]
        super().__init__(["worker", *options], environment, log, prefix)

    def children(self) -> list[psutil.Process]:
        """Return the worker processes that are alive."""
        try:
            found = psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []
        return [process for process in found if alive(process)]

    def kill_one(self, chance: random.Random, names: Sequence[str] = ()) -> bool:
        """kill -9 a worker process, one with these names of workers if any are given.

        Says whether there was one.
        """
        found = self.among(names) if names else self.children()
        if found:
            chance.choice(found).send_signal(signal.SIGKILL)
        return bool(found)

    def among(self, names: Sequence[str]) -> list[psutil.Process]:
        """Return its processes that are among the workers with these names."""
        pids = {int(name.split("-")[-2]) for name in names}
        return [process for process in self.children() if process.pid in pids]

    def freeze(self) -> None:
        """SIGSTOP the supervisor and all its processes."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT them."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in [psutil.Process(self.pid), *self.children()]:
            process.send_signal(number)

    def is_whole(self) -> bool:
        """Say whether the supervisor and all its processes are at work."""
        stuck = (psutil.STATUS_STOPPED, psutil.STATUS_DISK_SLEEP)
        here = self.children()
        return (
            self.process.poll() is None
            and len(here) >= self.processes
            and all(process.status() not in stuck for process in here)
        )


class Customers(Program):
    """`manage.py place_orders`: what they were told is in a file."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        name: str,
        orders: int,
        rate: float,
    ) -> None:
        self.file = folder / f"{name}.txt"
        self.number = orders
        options = [f"--orders={orders}", f"--rate={rate}", f"--customers={name}"]
        super().__init__(
            ["place_orders", "--skip-checks", *options, f"--file={self.file}"],
            environment,
            folder / f"{name}.log",
        )

    @property
    def confirmed(self) -> dict[str, float]:
        """Return the references of confirmed orders, in hex, with their ms."""
        lines = [line.split() for line in self._lines(self.file)]
        return {line[0].replace("-", ""): float(line[1]) for line in lines}

    @property
    def regretted(self) -> set[str]:
        """Return the references of orders that were rolled back, in hex."""
        return {line.replace("-", "") for line in self._lines(Path(f"{self.file}.not"))}

    @staticmethod
    def _lines(file: Path) -> list[str]:
        # The last one may be half written by a process that was killed.
        text = file.read_text() if file.exists() else ""
        return text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]

    def have_ordered(self, share: float = 1.0, seconds: float = 120) -> None:
        """Wait until this share of the orders has been confirmed or regretted."""
        wanted = self.number * share
        done = lambda: len(self.confirmed) + len(self.regretted) >= wanted  # noqa: E731  # a condition
        wait_for(done, seconds, f"{wanted:.0f} orders\n{self.tail()}")

    def finish(self, seconds: float = 120) -> None:
        """Wait until they have all ordered and gone home."""
        assert self.ends(seconds) == 0, self.tail()
