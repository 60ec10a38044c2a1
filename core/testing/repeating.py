"""A trial whether a body may run twice: it crashes at each of its steps."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from core import runs
from core.broker.handler import brokers
from core.interface.actors import Actor
from core.models import Run, State
from core.testing.crashes import Crash, Stopper
from core.testing.draining import perform
from core.testing.inline_worker import inline_worker
from core.testing.pictures import Picture, Start
from core.testing.recorder import rehearsing

#: Crashes that went wrong and are told, and differences of each.
TOLD = 5


def assert_safe_to_repeat(actor: Actor[..., Any], *args: Any, **kwargs: Any) -> None:
    """Fail if a crash in the body of `actor`, and the run after it, leave a trace.

    The message is performed once without a crash. Then, from the same rows, once for
    each step: its process dies before the next one, the run is rescued and performed
    again; the rows, the mails and the messages sent must be the same as without. Steps
    are statements that write, mails, and what goes through a socket. Moments and new
    ids are not compared; nor are files, or what other services have.

    Needs a TransactionTestCase or `django_db(transaction=True)`: what was committed
    before a crash stays. Afterwards the rows are as before.

    Raises:
        AssertionError: with the steps after which a crash is not safe, and what
            differs; or the body fails without a crash.
        InvalidArguments: they do not fit the function.
    """
    trial = _Trial(actor, args, kwargs)
    try:
        steps = trial.clean()
        tried = [trial.crash(number, steps) for number in range(1, len(steps) + 1)]
    finally:
        trial.start.restore()
    if wrong := [problem for problem in tried if problem]:
        head = f"{actor.actor_name} is not safe to run twice."
        more = [f"... and after {len(wrong) - TOLD} more"] if wrong[TOLD:] else []
        raise AssertionError("\n".join([head, *wrong[:TOLD], *more]))


class _Trial:
    """One message, performed again and again from the same rows."""

    def __init__(
        self, actor: Actor[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        message = actor.message_with_options(args=args, kwargs=kwargs)
        self.broker = brokers.carrier(actor.actor_name, message.options)
        self.database = self.broker.database
        if connections[self.database].in_atomic_block:
            raise AssertionError(
                "A crash keeps what was committed: use a TransactionTestCase, or"
                " django_db(transaction=True)."
            )
        self._send: Callable[[], Any] = lambda: actor.send_with_options(
            args=args, kwargs=kwargs
        )
        self.start = Start(self.database)
        self.expected: Picture = Picture()

    def clean(self) -> list[str]:
        """Perform it without a crash; return its steps."""
        stopper = Stopper()
        with rehearsing():
            message = self._send()
            self._perform(message.message_id, stopper, raising=True)
            state = message.status()
        if state != State.SUCCEEDED:
            raise AssertionError(f"Without a crash the run is {state}.")
        self.expected = self._picture(message.message_id)
        return stopper.seen

    def crash(self, number: int, steps: list[str]) -> str:
        """Have the process die after `number` steps; return what is wrong then."""
        self.start.restore()
        with rehearsing(), _quiet():
            message = self._send()
            self._perform(message.message_id, Stopper(number))
            self._rescue(message.message_id)
            state = perform(message)
        found = self._picture(message.message_id)
        problems = [] if state == State.SUCCEEDED else [f"the second run is {state}"]
        problems += _differences(self.expected, found)
        if not problems:
            return ""
        lines = [f"    {problem}" for problem in problems[:TOLD]]
        return "\n".join([f"  After step {number}, {steps[number - 1]}:", *lines])

    def _picture(self, message_id: str) -> Picture:
        return self.start.picture(message_id)

    def _perform(
        self, message_id: str, stopper: Stopper, *, raising: bool = False
    ) -> None:
        run = brokers.find(message_id)
        with inline_worker(self.broker, stopper.call) as worker, stopper.watching():
            try:
                worker.perform(run.pk, raising)
            except Crash:
                connections.close_all()

    def _rescue(self, message_id: str) -> None:
        """Do what others do once the process is gone, without its wait."""
        runs.rescue(self.database, self.broker.alias)
        waiting = Run.objects.using(self.database).filter(
            pk=message_id, state=State.PENDING
        )
        waiting.update(crashes=0, lone_crashes=0)


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing of a crash that is meant: it reads like a failure of the test."""
    logger = logging.getLogger("core")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _differences(expected: Picture, found: Picture) -> list[str]:
    return [
        f"{label}: {found[label, row]} instead of {expected[label, row]} of {row}"
        for label, row in sorted({*expected, *found})
        if expected[label, row] != found[label, row]
    ]
