"""The state machine of a run: every legal step, one conditional UPDATE each.

              +------------- retry, rescue, postpone ---------------+
              v                                                     |
    insert  pending --- mark ---> queued --- claim ---> running ----+---> succeeded
              |  ^                  |  |                  | |
              |  +-- rescue (lost) -+  |                  | +--- bury ---> dead
              |  ^                     |                  v                 |
              |  +------- requeue -----|-------------- (stop)---------------+
              +---- cancel ------------+--> cancelled <---+
                                                +------- requeue --> pending

A step that finds its run in another state changes nothing and says so by False or
None: someone was faster. Nobody else writes `Run.state`. Time is the database's.
"""

from core.runs.attempts import (
    Returned,
    bury,
    claim,
    has_succeeded,
    keep_result,
    note_progress,
    postpone,
    retry,
    stop,
    succeed,
    to_interrupt,
)
from core.runs.database_time import from_now, now
from core.runs.effects import abandon, answer, intend, settle
from core.runs.ends import NEVER
from core.runs.failures import Failure, readable
from core.runs.inserting import (
    adopt,
    forget_keys,
    forget_results,
    insert_batches,
    insert_idempotent,
    insert_unique,
)
from core.runs.insertion import insert
from core.runs.limits import LimitRule, LimitRules, any_limits, forget_unused, wait
from core.runs.pauses import hold, is_paused, pause, paused, resume, send_back
from core.runs.published import at_the_broker, cancelled_lately
from core.runs.recovery import given_away, rescue, send_back_left, unknown, welcome
from core.runs.requeueing import REQUEUABLE, requeue
from core.runs.retention import prunable, prune
from core.runs.rollups import roll_up, rolled_up
from core.runs.routes import route, unrouted
from core.runs.taking import take
from core.runs.waiting import (
    ALONE,
    WAITING,
    cancel,
    count_suspects,
    count_waiting,
    due,
    forget,
    give_back,
    has_backlog,
    has_waited,
    later,
    mark,
    reserve,
    reserve_suspect,
)

__all__ = [
    "ALONE",
    "NEVER",
    "REQUEUABLE",
    "WAITING",
    "Failure",
    "LimitRule",
    "LimitRules",
    "Returned",
    "abandon",
    "adopt",
    "answer",
    "any_limits",
    "at_the_broker",
    "bury",
    "cancel",
    "cancelled_lately",
    "claim",
    "count_suspects",
    "count_waiting",
    "due",
    "forget",
    "forget_keys",
    "forget_results",
    "forget_unused",
    "from_now",
    "give_back",
    "given_away",
    "has_backlog",
    "has_succeeded",
    "has_waited",
    "hold",
    "insert",
    "insert_batches",
    "insert_idempotent",
    "insert_unique",
    "intend",
    "is_paused",
    "keep_result",
    "later",
    "mark",
    "note_progress",
    "now",
    "pause",
    "paused",
    "postpone",
    "prunable",
    "prune",
    "readable",
    "requeue",
    "rescue",
    "reserve",
    "reserve_suspect",
    "resume",
    "retry",
    "roll_up",
    "rolled_up",
    "route",
    "send_back",
    "send_back_left",
    "settle",
    "stop",
    "succeed",
    "take",
    "to_interrupt",
    "unknown",
    "unrouted",
    "wait",
    "welcome",
]
