"""The operators' window: frozen snapshots of what is there. It changes nothing."""

from core.monitoring.actor_figures import ActorSnapshot, actors
from core.monitoring.aliases import BrokerSnapshot, brokers
from core.monitoring.audit_rows import AuditSnapshot, audit
from core.monitoring.causes import ErrorSnapshot, errors
from core.monitoring.effect_rows import EffectSnapshot, effects
from core.monitoring.explaining import Explanation, Reason, explain
from core.monitoring.filters import FILTERS, ids, select
from core.monitoring.letters import DeadLetters, ParkedSnapshot, dead_letters
from core.monitoring.lines import QueueSnapshot, queues
from core.monitoring.listing import RunPage, page, runs
from core.monitoring.one_run import run
from core.monitoring.overdue import OverdueSnapshot, overdue
from core.monitoring.probes import Check, Health, liveness, readiness
from core.monitoring.processes import RunningSnapshot, WorkerSnapshot, served, workers
from core.monitoring.recent import RecentSnapshot, parked, recent, unknown
from core.monitoring.run_rows import AttemptSnapshot, Event, Relative, RunSnapshot
from core.monitoring.schedule_rows import (
    ScheduleSnapshot,
    Upcoming,
    schedules,
    upcoming,
)
from core.monitoring.snapshot import Snapshot
from core.monitoring.totals import Point, StatsSnapshot, stats

__all__ = [
    "FILTERS",
    "ActorSnapshot",
    "AttemptSnapshot",
    "AuditSnapshot",
    "BrokerSnapshot",
    "Check",
    "DeadLetters",
    "EffectSnapshot",
    "ErrorSnapshot",
    "Event",
    "Explanation",
    "Health",
    "OverdueSnapshot",
    "ParkedSnapshot",
    "Point",
    "QueueSnapshot",
    "Reason",
    "RecentSnapshot",
    "Relative",
    "RunPage",
    "RunSnapshot",
    "RunningSnapshot",
    "ScheduleSnapshot",
    "Snapshot",
    "StatsSnapshot",
    "Upcoming",
    "WorkerSnapshot",
    "actors",
    "audit",
    "brokers",
    "dead_letters",
    "effects",
    "errors",
    "explain",
    "ids",
    "liveness",
    "overdue",
    "page",
    "parked",
    "queues",
    "readiness",
    "recent",
    "run",
    "runs",
    "schedules",
    "select",
    "served",
    "stats",
    "unknown",
    "upcoming",
    "workers",
]
