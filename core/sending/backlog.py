"""How many runs of a queue wait: a send may refuse to add to them."""

import time
from dataclasses import replace

from core import runs
from core.errors import QueueFull
from core.sending.draft import Draft

#: Seconds for which a count is used again: to ask at each send would cost more than the
#: send itself.
FRESH_SECONDS = 1.0


class Backlog:
    """The queues of one broker alias, as this process knows them."""

    def __init__(self, database: str, alias: str) -> None:
        self.database = database
        self.alias = alias
        #: By queue and bound: how many wait, and when that was asked.
        self._known: dict[tuple[str, int], tuple[int, float]] = {}

    def accept(self, draft: Draft) -> Draft:
        """Return what may wait in its queue, or in its overflow; raise `QueueFull`.

        What is due later may always come in.
        """
        options, queue = draft.options, draft.run.queue_name
        most, elsewhere = options.max_pending, options.overflow_queue
        if most is None or options.delay or options.eta or self._has_room(queue, most):
            return draft
        if elsewhere is None:
            raise QueueFull(draft.message.actor_name, self.alias, queue, most)
        draft.run.queue_name = elsewhere
        return replace(draft, message=replace(draft.message, queue_name=elsewhere))

    def _has_room(self, queue: str, most: int) -> bool:
        """Return True if one more may wait, and count it."""
        now = time.monotonic()
        waiting, asked_at = self._known.get((queue, most), (0, -FRESH_SECONDS))
        if now - asked_at >= FRESH_SECONDS:
            waiting = runs.count_waiting(self.database, self.alias, queue, most)
            asked_at = now
        has_room = waiting < most
        self._known[queue, most] = (waiting + has_room, asked_at)
        return has_room
