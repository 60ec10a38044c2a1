"""What may befall a service for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Broker(Protocol):
    """A broker's server that can be harmed."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...
    def alarm(self) -> None: ...
    def clear_alarm(self) -> None: ...


@contextmanager
def down(service: Broker) -> Iterator[None]:
    """Have it killed."""
    service.kill()
    try:
        yield
    finally:
        service.start()


@contextmanager
def frozen(service: Broker) -> Iterator[None]:
    """Have it stopped with SIGSTOP: it takes connections and answers none."""
    service.freeze()
    try:
        yield
    finally:
        service.thaw()


@contextmanager
def alarmed(service: Broker) -> Iterator[None]:
    """Have it out of memory: it answers, and takes no message."""
    service.alarm()
    try:
        yield
    finally:
        service.clear_alarm()
