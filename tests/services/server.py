"""Starting, stopping and hurting one server process."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import psutil

from tests.services.environment import free_port
from tests.services.logs import tail, watch
from tests.services.waiting import wait_for


class Server(ABC):
    """A server with data in a folder of its own; stopped or killed, it keeps them.

    Args:
        folder: where its own folder is made.
        port: on 127.0.0.1; a free one if not given.
    """

    #: The name of its folder; also in errors.
    name: ClassVar[str]
    #: It answers within so many seconds of its start.
    start_seconds: ClassVar[float] = 60
    #: What asks it to end, and how long it may take, s.
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder / self.name
        self.port = free_port() if port is None else port
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients find it, also while it is down."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs it in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Say whether it serves a client; asked until it is true."""

    def prepare(self) -> None:  # noqa: B027  # most need nothing
        """Make what it needs before it starts."""

    def environment(self) -> Mapping[str, str]:
        """Return all its environment variables."""
        return os.environ

    def credentials(self) -> dict[str, Any]:
        """Return what `Popen` needs to run it as somebody else."""
        return {}

    def litter(self) -> Path | None:
        """Return the folder that nobody else removes if the tests are killed."""
        return None

    @property
    def pid(self) -> int | None:
        """The server's process while it is up."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it, if it is down; return when it answers."""
        if self._process is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self._process = self._spawn()
        self._guard = guard(self._process.pid, self.litter())
        try:
            wait_for(self._is_up, self.start_seconds, f"{self.name} answers")
        except BaseException as error:
            self.kill()
            error.add_note(self.tail())
            raise

    def stop(self) -> None:
        """Ask it to end, and wait for that; kill it if it does not."""
        if self._process is None:
            return
        self.thaw()
        family = self.family()
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            pass  # then it is killed
        finally:
            self._end(family)

    def kill(self) -> None:
        """End it at once, and all that it started."""
        if self._process is not None:
            self._end(self.family())

    def freeze(self) -> None:
        """Make it silent: its connections stay, nothing answers any more."""
        family = self.family()
        signal_all(family, signal.SIGSTOP)
        wait_for(lambda: all(map(is_still, family)), 10, f"{self.name} stands still")

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        signal_all(self.family(), signal.SIGCONT)

    def family(self) -> list[psutil.Process]:
        """Return the process and its descendants, whatever groups they made."""
        if self._process is None or self._process.poll() is not None:
            return []
        return family_of(self._process)

    def tail(self) -> str:
        """Return the end of what it printed."""
        return tail(self.log)

    @property
    def log(self) -> Path:
        """What it printed since its first start."""
        return self.folder / "output.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _spawn(self) -> subprocess.Popen[bytes]:
        watch(self.log)
        with self.log.open("ab") as log:
            # Its own session: a Ctrl-C is for pytest, which then stops its servers.
            return subprocess.Popen(
                self.command(),
                cwd="/",
                env=dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.credentials(),
            )

    def _is_up(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self._process.returncode}")
        return self.answers()

    def _end(self, family: list[psutil.Process]) -> None:
        assert self._process is not None
        assert self._guard is not None
        signal_all(family, signal.SIGKILL)
        self._process.wait()
        # Its helpers are not our children: they end a moment later, on their own.
        wait_for(lambda: not any(map(alive, family)), 10, f"all of {self.name} ends")
        self._guard.communicate(b"\n")  # tells it that all is well
        self._process = self._guard = None


def family_of(leader: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Return a process and its descendants, whatever groups they made."""
    process = psutil.Process(leader.pid)
    return [process, *process.children(recursive=True)]


def signal_all(family: list[psutil.Process], number: signal.Signals) -> None:
    """Signal those of a family that have not ended meanwhile."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def alive(process: psutil.Process) -> bool:
    """Say whether a process runs; nobody may have taken note of its end yet."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_still(process: psutil.Process) -> bool:
    """Say whether all threads of a process have stopped, or it is gone."""
    here = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    try:
        threads = [psutil.Process(thread.id) for thread in process.threads()]
        return all(thread.status() in here for thread in threads)
    except psutil.NoSuchProcess:
        return not alive(process)


#: Seconds in which a process that is late may write its stacks.
WRITTEN = 2


def stop(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Ask the head of a family to end; kill all of it if it is late, and say so.

    With PYTHONFAULTHANDLER they first write to their logs what every thread does.
    """
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        family = family_of(process)
        for one in family:
            signal_all([one], signal.SIGABRT)
            psutil.wait_procs([one], WRITTEN)
        signal_all(family, signal.SIGKILL)
        process.wait()
        return False
    return True


#: Kill a process group ($1), remove a folder ($2) to which its last ones may write.
GUARD = """
read line && exit
kill -KILL -"$1"
for try in 1 2 3 4 5; do rm -rf "$2" && exit; done
"""


def guard(group: int, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Have a process group killed when our own process ends, however it ends.

    The guard's standard input closes with us; a line on it sends the guard home.
    """
    return subprocess.Popen(
        ["sh", "-c", GUARD, "guard", str(group), str(folder or "")],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
