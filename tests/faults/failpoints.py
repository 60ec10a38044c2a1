"""Points of our own code at which a process dies, as `kill -9` would have it.

FAULTS_FAILPOINT is "name:number:folder": the processes that share the folder die
there `number` times in all. Without the variable nothing is touched: production code
has no failpoints, they are put around it here.
"""

import os
import signal
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

#: name -> (module, attribute, whether it dies before or after the call).
POINTS = {
    "producer committed": ("core.relay.publisher", "put", "before"),
    "relay published": ("core.runs", "mark", "before"),
    "run settled": ("core.runs", "succeed", "after"),
    "direct performed": ("core.broker.broker", "process_direct", "after"),
    "mail sent": ("django.core.mail", "EmailMessage.send", "after"),
}


def arm() -> None:
    """Put the failpoint of the environment, if any, around its function."""
    if "FAULTS_FAILPOINT" not in os.environ:
        return
    name, number, folder = os.environ["FAULTS_FAILPOINT"].split(":")
    module, path, when = POINTS[name]
    holder: Any = import_module(module)
    *parents, attribute = path.split(".")
    for parent in parents:
        holder = getattr(holder, parent)
    function = getattr(holder, attribute)
    setattr(holder, attribute, deadly(function, when, int(number), Path(folder)))


def deadly(
    function: Callable[..., Any], when: str, number: int, folder: Path
) -> Callable[..., Any]:
    """Return the function with a death before or after each of its first calls."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die(number, folder)
        value = function(*args, **kwargs)
        if when == "after":
            die(number, folder)
        return value

    return call


def die(number: int, folder: Path) -> None:
    """End this process, unless so many have died here before."""
    for turn in range(number):
        try:
            (folder / f"death-{turn}").touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
