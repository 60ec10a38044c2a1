"""The rows: what Switchyard remembers."""

from core.models.alert import (
    Alert,
    AlertRound,
    AlertRule,
    AlertState,
    Notice,
    NoticeState,
)
from core.models.audit import AuditEntry
from core.models.batch import Batch
from core.models.canary import CanaryMark
from core.models.effect import Effect, EffectState
from core.models.fire import Fire, FireState
from core.models.limit import IdempotencyKey, Limit
from core.models.parked import Parked
from core.models.pause import Pause
from core.models.rollup import RolledUp, Rollup
from core.models.run import ACTIVE, Attempt, Outcome, Run, State
from core.models.schedule import Missed, Origin, Overlap, Schedule
from core.models.worker import Worker

__all__ = [
    "ACTIVE",
    "Alert",
    "AlertRound",
    "AlertRule",
    "AlertState",
    "Attempt",
    "AuditEntry",
    "Batch",
    "CanaryMark",
    "Effect",
    "EffectState",
    "Fire",
    "FireState",
    "IdempotencyKey",
    "Limit",
    "Missed",
    "Notice",
    "NoticeState",
    "Origin",
    "Outcome",
    "Overlap",
    "Parked",
    "Pause",
    "RolledUp",
    "Rollup",
    "Run",
    "Schedule",
    "State",
    "Worker",
]
