"""The tables of the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from core.management.tasks_verbs import columns
from core.management.top import acts


@dataclass(frozen=True, slots=True)
class Part:
    """One table: how it is shown, and what can be said of a row."""

    heads: Sequence[str]
    rows: Callable[[Any], list[columns.Row]]
    #: Identifies a row from one refresh to the next.
    key: Callable[[Any], Any]
    why: Callable[[Any], str]


#: By the name that `View` has for it.
PARTS: Mapping[str, Part] = {
    "queues": Part(
        columns.QUEUES,
        columns.queue_rows,
        attrgetter("broker", "name"),
        acts.why_queue,
    ),
    "workers": Part(
        columns.WORKERS, columns.worker_rows, attrgetter("name"), acts.why_worker
    ),
    "errors": Part(
        columns.ERRORS,
        columns.error_rows,
        attrgetter("fingerprint", "actor_name"),
        acts.why_error,
    ),
}
