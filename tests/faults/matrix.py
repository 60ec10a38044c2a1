"""Which scenario runs on which combinations, how often, with how many orders."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.faults.sizes import FULL, Size

#: (engine, broker's fixture)
COMBINATIONS = (
    ("celery", "valkey"),
    ("dramatiq", "rabbitmq"),
    ("dramatiq", "valkey"),
    ("celery", "rabbitmq"),
)
FOLDER = Path(__file__).parent / "scenarios"
#: What `make test` has time for: of each kind of fault the one that breaks the most.
QUICK = (
    *("F1", "F2", "F3", "F4", "F5", "F6", "F8", "F9"),
    *("F11", "F14", "F15", "F19", "F20", "F27", "F31"),
)


@dataclass(frozen=True)
class Case:
    """One scenario on one combination with one seed."""

    fault: str
    module: ModuleType | None
    engine: str
    broker: str
    orders: int
    seed: int

    @property
    def id(self) -> str:
        """Its name in pytest."""
        return f"{self.fault}-{self.engine}-{self.broker}-{self.seed}"


def modules() -> dict[str, ModuleType]:
    """Return the scenarios by their number in the list of faults."""
    files = sorted(FOLDER.glob("f[0-9]*.py"))
    return {
        f"F{int(file.stem[1:3])}": import_module(f"tests.faults.scenarios.{file.stem}")
        for file in files
    }


def cases() -> Iterator[Case]:
    """Return what this run does.

    In `make faults` all; otherwise the quick scenarios, or what ONLY names, each on one
    combination, dealt out evenly.
    """
    asked = [(fault, module) for fault, module in modules().items() if is_asked(fault)]
    for turn, (fault, module) in enumerate(asked):
        suitable = suitable_for(module)
        chosen = suitable if FULL else [suitable[turn % len(suitable)]]
        size: Size = getattr(module, "SIZE", Size()).chosen()
        for engine, broker in chosen:
            for seed in range(size.seeds):
                yield Case(fault, module, engine, broker, size.orders, seed)


def is_asked(fault: str) -> bool:
    """Say whether ONLY names the fault; without it, whether there is time for it."""
    only = os.environ.get("ONLY", "").replace(",", " ").split()
    return fault in only if only else FULL or fault in QUICK


def suitable_for(module: ModuleType) -> list[tuple[str, str]]:
    """Return the combinations that a scenario makes sense on."""
    engines = getattr(module, "ENGINES", ("celery", "dramatiq"))
    brokers = getattr(module, "BROKERS", ("valkey", "rabbitmq"))
    return [c for c in COMBINATIONS if c[0] in engines and c[1] in brokers]
