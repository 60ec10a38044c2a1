"""The Django admin: to read, and to do what each permission allows."""

from core.admin.alerts import AlertAdmin, AlertRuleAdmin, NoticeAdmin
from core.admin.effects import EffectAdmin
from core.admin.others import AuditEntryAdmin, ParkedAdmin, WorkerAdmin
from core.admin.runs import RunAdmin
from core.admin.schedules import ScheduleAdmin

__all__ = [
    "AlertAdmin",
    "AlertRuleAdmin",
    "AuditEntryAdmin",
    "EffectAdmin",
    "NoticeAdmin",
    "ParkedAdmin",
    "RunAdmin",
    "ScheduleAdmin",
    "WorkerAdmin",
]
