"""The rows: what Switchyard remembers."""

from core.models.parked import Parked
from core.models.run import Attempt, Outcome, Run, State
from core.models.worker import Worker

__all__ = ["Attempt", "Outcome", "Parked", "Run", "State", "Worker"]
