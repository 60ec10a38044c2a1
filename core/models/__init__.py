"""The rows: what Switchyard remembers."""

from core.models.batch import Batch
from core.models.limit import IdempotencyKey, Limit
from core.models.parked import Parked
from core.models.run import Attempt, Outcome, Run, State
from core.models.worker import Worker

__all__ = [
    "Attempt",
    "Batch",
    "IdempotencyKey",
    "Limit",
    "Outcome",
    "Parked",
    "Run",
    "State",
    "Worker",
]
