"""Schedules as rows: any number of drivers tick, and every slot fires once."""

from core.schedules.backfilling import backfill, unfired
from core.schedules.comparing import Comparison, Fires
from core.schedules.driving import Driver
from core.schedules.importing import Foreign, Plan, plan
from core.schedules.registry import Synced, find, living, pause, resume, run_now, sync
from core.schedules.ticking import BUSY_WAIT, LONGEST_WAIT, Tick, next_due, tick

__all__ = [
    "BUSY_WAIT",
    "LONGEST_WAIT",
    "Comparison",
    "Driver",
    "Fires",
    "Foreign",
    "Plan",
    "Synced",
    "Tick",
    "backfill",
    "find",
    "living",
    "next_due",
    "pause",
    "plan",
    "resume",
    "run_now",
    "sync",
    "tick",
    "unfired",
]
