"""The state machine of a run: every legal step, one conditional UPDATE each.

              +------------- retry, rescue, postpone ---------------+
              v                                                     |
    insert  pending --- mark ---> queued --- claim ---> running ----+---> succeeded
              |  ^                  |  |                    |
              |  +-- rescue (lost) -+  |                    +--- bury ---> dead
              |  ^                     |                                    |
              |  +------- requeue -----|------------------------------------+
              +---- cancel ------------+--> cancelled --- requeue --> pending

A step that finds its run in another state changes nothing and says so by False or
None: someone was faster. Nobody else writes `Run.state`. Time is the database's.
"""

from core.runs.attempts import bury, claim, postpone, retry, succeed
from core.runs.failures import Failure, readable
from core.runs.recovery import release, rescue
from core.runs.waiting import (
    cancel,
    forget,
    give_back,
    has_backlog,
    insert,
    later,
    mark,
    requeue,
    reserve,
)

__all__ = [
    "Failure",
    "bury",
    "cancel",
    "claim",
    "forget",
    "give_back",
    "has_backlog",
    "insert",
    "later",
    "mark",
    "postpone",
    "readable",
    "release",
    "requeue",
    "rescue",
    "reserve",
    "retry",
    "succeed",
]
