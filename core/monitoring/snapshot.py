"""The base of every snapshot: frozen, as it was when it was read."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A frozen picture; it changes no more, whatever happens to the rows."""

    def asdict(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        return asdict(self)
