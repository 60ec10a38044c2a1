"""A RabbitMQ node that shares nothing with one that Debian may have started.

Its name, ports, cookie, folders and port mapper (epmd) are its own. It runs as whoever
runs the tests: Debian's command in /usr/sbin would change to its own user.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.services.environment import free_port
from tests.services.server import Server, guard
from tests.services.waiting import wait_for

BINARIES = Path("/usr/lib/rabbitmq/bin")
#: What a client says first, and the node's first byte in return: a method frame.
GREETING = b"AMQP\x00\x00\x09\x01"
WELCOME = b"\x01"

#: Set the memory limit, then wait until senders are blocked, or no longer.
LIMIT = """
    vm_memory_monitor:set_vm_memory_high_watermark({limit}),
    Wait = fun(F) -> case rabbit_alarm:get_alarms() of
        [] when {blocked} -> timer:sleep(20), F(F);
        [_ | _] when not {blocked} -> timer:sleep(20), F(F);
        _ -> ok
    end end,
    Wait(Wait).
"""


class RabbitMQ(Server):
    """A node; it keeps durable queues and persistent messages when it is stopped.

    When it is killed, it may forget a queue that was declared a second before, with
    the messages that it had confirmed: seen in 2 of 6 kills, in none of 4 after 3 s.
    """

    name = "rabbitmq"
    start_seconds = 120
    stop_seconds = 30

    def __init__(self, folder: Path, port: int | None = None) -> None:
        super().__init__(folder, port)
        self._distribution = free_port()
        self._epmd_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._epmd_guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find its default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def command(self) -> list[str]:
        """Return the command line."""
        return [str(BINARIES / "rabbitmq-server")]

    def environment(self) -> Mapping[str, str]:
        """Return a node's environment, nothing of it from ours."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RABBITMQ_", "ERL_"))
        }
        home = str(self.folder)
        return ours | {
            "HOME": home,  # has the cookie
            "RABBITMQ_NODENAME": f"switchyard-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONF_ENV_FILE": f"{home}/none.conf",
            "RABBITMQ_CONFIG_FILE": f"{home}/none",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{home}/none.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{home}/generated",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_MNESIA_BASE": f"{home}/data",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            # The script then becomes the node instead of watching over it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def prepare(self) -> None:
        """Start its port mapper, which would otherwise outlive it as a daemon."""
        epmd = shutil.which("epmd")
        if epmd is None or not BINARIES.exists():
            raise FileNotFoundError(
                "RabbitMQ is missing: run python -m tests.services.install as root."
            )
        (self.folder / "plugins").write_text("[].\n")
        self._epmd = subprocess.Popen(
            [epmd, "-address", "127.0.0.1", "-port", str(self._epmd_port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._epmd_guard = guard(self._epmd.pid)
        wait_for(lambda: listens(self._epmd_port), 10, "epmd listens")

    def answers(self) -> bool:
        """Say whether it greets a client: it does so last of all when it boots."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as link:
                link.sendall(GREETING)
                return link.recv(1) == WELCOME
        except OSError:
            return False

    def alarm(self) -> None:
        """Be out of memory: connections that publish are blocked."""
        self.evaluate(LIMIT.format(limit="0.0000001", blocked="true"))

    def clear_alarm(self) -> None:
        """Let connections publish again."""
        self.evaluate(LIMIT.format(limit="0.4", blocked="false"))

    def evaluate(self, expression: str) -> None:
        """Run an Erlang expression in the node."""
        node = self.environment()["RABBITMQ_NODENAME"]
        command = [str(BINARIES / "rabbitmqctl"), "--node", node, "eval", expression]
        subprocess.run(
            command,
            env=dict(self.environment()),
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
        )

    def _end(self, family: list[psutil.Process]) -> None:
        super()._end(family)
        if self._epmd is not None and self._epmd_guard is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd_guard.communicate(b"\n")
        self._epmd = self._epmd_guard = None


def listens(port: int) -> bool:
    """Say whether anybody accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
