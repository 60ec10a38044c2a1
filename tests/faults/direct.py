"""What may befall direct messages, which nobody but the broker remembers."""

import shutil
import time
from collections import Counter
from collections.abc import Callable

from tests.faults.garbage import inject
from tests.faults.processes import Program
from tests.faults.rig import Rig
from tests.services.waiting import wait_for

NUMBER = 400
SECONDS = 6
#: Sends, and notes what was accepted.
SEND = """
import time
from core import BrokerUnavailable
from tests.faults.tasks import jot
accepted = open({accepted!r}, "a", buffering=1)
for number in range({number}):
    try:
        jot.send({performed!r}, number)
    except BrokerUnavailable:
        time.sleep(0.1)
    else:
        print(number, file=accepted)
    time.sleep({pause})
"""
#: An engine has given back a dead worker's messages after so many seconds.
GIVEN_BACK = 90
#: What has not come so long after a fault that may lose messages is lost, s.
QUIET = 15
#: What may lose an accepted message: a broker whose data are wiped; on Celery's Redis
#: transport also what breaks in the moment between taking a message out and noting who
#: has it.
LOSSY = {
    ("F1", "celery", "valkey"),
    ("F6", "celery", "valkey"),
    ("F6", "dramatiq", "valkey"),
    ("F6", "celery", "rabbitmq"),
    ("F6", "dramatiq", "rabbitmq"),
    ("F13", "celery", "valkey"),
}


def kill_workers(rig: Rig, sender: Program) -> None:
    """Kill a worker process every 2 s."""
    while sender.process.poll() is None:
        time.sleep(2)  # the fault's own clock
        rig.crews[0].kill_one(rig.chance)


def wipe_broker(rig: Rig, sender: Program) -> None:
    """Kill the broker; it comes back without its data."""
    have_sent(rig, 0.5)
    rig.broker.kill()
    shutil.rmtree(rig.broker.folder)
    rig.broker.start()


def kill_broker(rig: Rig, sender: Program) -> None:
    """Kill the broker while it takes nothing in: what it has not confirmed is gone."""
    have_sent(rig, 0.3)
    rig.broker.alarm()
    time.sleep(2)  # the fault's own clock
    rig.broker.kill()
    rig.broker.start()


def write_garbage(rig: Rig, sender: Program) -> None:
    """Write garbage of every kind into the queue."""
    have_sent(rig, 0.5)
    inject(rig)


def nothing(rig: Rig, sender: Program) -> None:
    """Leave it to what was prepared."""


FAULTS: dict[str, Callable[[Rig, Program], None]] = {
    "F1": kill_workers,
    "F2": nothing,
    "F6": wipe_broker,
    "F10": kill_broker,
    "F13": nothing,
    "F20": write_garbage,
}
#: What makes sense on some brokers only: a Valkey without a disk is wiped when killed.
BROKERS = {"F10": ("rabbitmq",)}


def have_sent(rig: Rig, share: float) -> None:
    """Wait until this share has been accepted."""
    wait_for(lambda: len(numbers(rig, "accepted")) >= NUMBER * share, 60)


def numbers(rig: Rig, name: str) -> list[int]:
    """Return the numbers in a file that grows."""
    file = rig.folder / name
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def run(rig: Rig, fault: str) -> None:
    """Send while the fault happens; what is accepted is not lost, where promised."""
    more = prepare(rig, fault)
    crew = rig.work(more)
    script = SEND.format(
        accepted=str(rig.folder / "accepted"),
        performed=str(rig.folder / "performed"),
        number=NUMBER,
        pause=SECONDS / NUMBER,
    )
    sender = rig.start("sender", "shell", "-c", script, more=more)
    FAULTS[fault](rig, sender)
    assert sender.ends(120) == 0, sender.tail()
    lossy = (fault, rig.engine, rig.broker.name) in LOSSY
    settle(rig, lossy)
    accepted, performed = numbers(rig, "accepted"), Counter(numbers(rig, "performed"))
    rig.measured |= {
        "accepted": len(accepted),
        "lost": len(set(accepted) - performed.keys()),
        "twice": sum(count > 1 for count in performed.values()),
    }
    assert len(accepted) > NUMBER // 2, rig.tails()
    if not lossy:
        lost = rig.measured["lost"]
        assert lost == 0, f"{lost} direct messages are lost\n{rig.tails()}"
    wait_for(crew.is_whole, 15 * rig.patience)


def prepare(rig: Rig, fault: str) -> dict[str, str]:
    """Return the environment of those whom the fault befalls."""
    if fault == "F2":
        return rig.failpoint("direct performed", 4)
    if fault == "F13":
        proxy, through = rig.broker_proxy()
        proxy.reset_share = 0.01
        return through
    return {}


def settle(rig: Rig, lossy: bool) -> None:
    """Wait until all that was accepted has run; or for so long, where it may be lost.

    A worker that died held messages which its engine gives back in its own time.
    """
    deadline = time.monotonic() + (QUIET if lossy else GIVEN_BACK * rig.patience)
    while set(numbers(rig, "accepted")) - set(numbers(rig, "performed")):
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)
