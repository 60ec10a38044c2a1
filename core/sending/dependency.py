"""The run or batch that a run of a composition waits for, and its own batch."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Dependency:
    """Its values are those of the columns of `Run` with these names."""

    after: UUID | None = None
    after_end: bool = False
    batch: UUID | None = None
    position: int = 0
    #: A following run needs its result.
    collected: bool = False
    followed: bool = False

    def values(self) -> dict[str, Any]:
        """Return the columns."""
        return {name: getattr(self, name) for name in self.__slots__}
