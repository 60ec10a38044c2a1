"""The intent of an effect outside the database."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4


@dataclass(frozen=True, slots=True)
class Intent:
    """One try of an effect; the token tells it from every other one."""

    name: str
    key: str
    policy: str
    actor_name: str = ""
    run_id: str | None = None
    attempt: int = 0
    token: UUID = field(default_factory=uuid4)
