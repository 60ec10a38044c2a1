"""python -m tests.services.install [--faults]: install the servers of the tests.

Missing ones are installed from Debian's packages, if run as root; otherwise the command
says what to install. Nothing is started: the tests start servers of their own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

#: Debian's package -> files that show that it is there, any of a pattern.
PACKAGES = {
    "rabbitmq-server": "usr/lib/rabbitmq/bin/rabbitmq-server",
    "postgresql": "usr/lib/postgresql/*/bin/initdb",
    "faketime": "usr/lib/*/faketime/libfaketimeMT.so.1",
}
#: More, for `make faults`.
FAULTS = {"pgbouncer": "usr/sbin/pgbouncer"}
ROOT = Path("/")
#: Asked by Debian before a package starts its service; 101 forbids it.
POLICY = ROOT / "usr/sbin/policy-rc.d"


def missing(more: Mapping[str, str]) -> list[str]:
    """Return the packages to install."""
    wanted = {**PACKAGES, **more}
    return [name for name, file in wanted.items() if not any(ROOT.glob(file))]


def main(more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Install what is missing, or end with a word on what to do."""
    packages = missing(more)
    if not packages:
        return
    wanted = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SystemExit(
            f"The tests need {wanted}: install them (on Debian, as root:"
            f" apt-get install {wanted}) and try again."
        )
    sys.stdout.write(f"Installing {wanted} ...\n")
    sys.stdout.flush()
    with services_stay_down():
        apt_get("update")
        apt_get("install", "--yes", "--no-install-recommends", *packages)
    if still := missing(more):
        raise SystemExit(f"apt-get installed no {' and no '.join(still)}.")


@contextmanager
def services_stay_down() -> Iterator[None]:
    """Keep the packages from starting services on their default ports."""
    if POLICY.exists():  # the machine has a policy of its own
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def apt_get(*arguments: str) -> None:
    """Run apt-get without questions; show what it said only if it failed."""
    done = subprocess.run(
        ["apt-get", "--quiet", "--option=DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"apt-get {arguments[0]} failed:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    main(FAULTS if "--faults" in sys.argv else {})
