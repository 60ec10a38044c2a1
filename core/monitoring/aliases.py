"""The broker aliases: which engine, and whether the broker answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from core.backend import BaseBackend
from core.broker.handler import brokers as configured
from core.errors import CoreError
from core.monitoring.probing import DEADLINE, ask
from core.monitoring.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class BrokerSnapshot(Snapshot):
    """A broker alias, and what its broker has just answered."""

    alias: str
    engine: str
    #: The version of the engine's package, or "".
    version: str
    up: bool
    #: Round-trip time of a ping in ms; None without an answer.
    latency: float | None
    #: The error, or "".
    error: str = ""


def brokers(alias: str = "") -> list[BrokerSnapshot]:
    """Ask every broker, or one, whether it is there; answered within a second."""
    backends = {name: configured[name].backend for name in _aliases(alias)}
    answers = ask({f"ping {name}": _ping(one) for name, one in backends.items()})
    return [
        _snapshot(name, one, answers.get(f"ping {name}"))
        for name, one in backends.items()
    ]


def _aliases(alias: str) -> list[str]:
    return [alias] if alias else list(configured)


def _ping(backend: BaseBackend) -> Callable[[], float]:
    def ping() -> float:
        start = time.perf_counter()
        backend.ping()
        return (time.perf_counter() - start) * 1000

    return ping


def _snapshot(
    alias: str, backend: BaseBackend, answer: float | Exception | None
) -> BrokerSnapshot:
    latency = answer if isinstance(answer, float) else None
    error = "" if latency is not None else _reason(answer)
    version = _version(backend.engine)
    up = latency is not None
    return BrokerSnapshot(alias, backend.engine, version, up, latency, error)


def _reason(answer: object) -> str:
    if answer is None:
        return f"no answer within {DEADLINE:g} s"
    told = str(answer) if isinstance(answer, CoreError) else repr(answer)
    return told or repr(answer)


def _version(engine: str) -> str:
    """Return the version of the package that an engine is named after."""
    try:
        return metadata.version(engine)
    except metadata.PackageNotFoundError:
        return ""
