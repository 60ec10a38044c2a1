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
    Return,
    bury,
    claim,
    has_succeeded,
    keep_result,
    note_progress,
    postpone,
    retry,
    stop,
    succeed,
)
from core.runs.ends import NEVER
from core.runs.entry import (
    adopt,
    forget_keys,
    forget_results,
    insert,
    insert_batches,
    insert_idempotent,
    insert_unique,
)
from core.runs.failures import Failure, readable
from core.runs.limits import Rule, Rules, forget_unused, wait
from core.runs.recovery import lost, release, rescue
from core.runs.routes import route, unrouted
from core.runs.waiting import (
    ALONE,
    at_the_broker,
    cancel,
    count_suspects,
    forget,
    give_back,
    has_backlog,
    later,
    mark,
    requeue,
    reserve,
    reserve_suspect,
    to_interrupt,
)

__all__ = [
    "ALONE",
    "NEVER",
    "Failure",
    "Return",
    "Rule",
    "Rules",
    "adopt",
    "at_the_broker",
    "bury",
    "cancel",
    "claim",
    "count_suspects",
    "forget",
    "forget_keys",
    "forget_results",
    "forget_unused",
    "give_back",
    "has_backlog",
    "has_succeeded",
    "insert",
    "insert_batches",
    "insert_idempotent",
    "insert_unique",
    "keep_result",
    "later",
    "lost",
    "mark",
    "note_progress",
    "postpone",
    "readable",
    "release",
    "requeue",
    "rescue",
    "reserve",
    "reserve_suspect",
    "retry",
    "route",
    "stop",
    "succeed",
    "to_interrupt",
    "unrouted",
    "wait",
]
