"""One attempt in this process's hands, and the ways it may end.

Whatever follows an end (callbacks, the next step, the count of a group) is written in
the transaction that settles it.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db import transaction

from core import runs
from core.errors import CallbackRefused, InvalidResult
from core.models import Outcome, Run
from core.options import Options
from core.registry import Declared
from core.runs import Failure, Returned
from core.secrets.redaction import hiding
from core.secrets.values import opened
from core.wire.envelope import Envelope
from core.worker import followups, verdict
from core.worker.context import WorkerContext, envelope_of

logger = logging.getLogger(__name__)


@dataclass
class ClaimedRun:
    """A claimed run with what is needed to perform and to settle it."""

    context: WorkerContext
    run: Run
    actor: Declared
    options: Options
    #: False: a direct message, which has no row as long as nothing goes wrong.
    stored: bool = True
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"{self.run.actor_name} {self.run.pk}"

    @cached_property
    def message(self) -> Envelope:
        """The message, as callbacks and middleware see it."""
        return envelope_of(self.run)

    @property
    def wants_result(self) -> bool:
        """Return True if anyone will read what the body returns."""
        run, options = self.run, self.options
        return bool(options.store_results or run.collected or options.on_success)

    def is_expired(self) -> bool:
        """Return True if it is older than its max_age."""
        run = self.run
        if not self.stored and self.options.max_age is not None:
            age = timedelta(milliseconds=self.options.max_age)
            return run.started_at is not None and run.started_at >= run.created_at + age
        if run.expires_at is None or run.started_at is None:
            return False
        return run.started_at >= run.expires_at

    def succeed(self, value: Any) -> bool:
        """Settle as a success that returned `value`; False: it was replaced.

        Raises `InvalidResult`: on_success cannot be told of it; nothing is settled.
        """
        if not self.stored:
            return True
        returned = Returned(value, self.options.result_ttl if self._kept else None)
        return self.context.persist(lambda: self._succeed(returned))

    @property
    def _kept(self) -> bool:
        return self.options.store_results

    def _succeed(self, returned: Returned) -> bool:
        context, run = self.context, self.run
        if self.options.on_success:
            with transaction.atomic(using=context.database):
                freed = runs.succeed(context.database, run, returned)
                if freed is not None:
                    self._call_on_success(returned)
        else:
            freed = runs.succeed(context.database, run, returned)
        if freed is None:
            return runs.has_succeeded(context.database, run)
        self._let_go(freed)
        return True

    def _call_on_success(self, returned: Returned) -> None:
        calls = followups.success(self.options, self.message, returned)
        try:
            self.context.enqueue(calls)
        except CallbackRefused as error:
            # As with a result that cannot be kept: it would be so every time.
            raise InvalidResult(self.run.actor_name, f"on_success: {error}") from error

    def _let_go(self, freed: list[Any]) -> None:
        self.context.outbox.publish_freed(freed)
        if self.run.limit_granted:
            self.context.outbox.nudge(self.run.queue_name)

    def keep_result(self, value: Any) -> None:
        """Add a result to a success that the body itself has settled."""
        if self._kept:
            returned = Returned(value, self.options.result_ttl)
            self.context.persist(
                lambda: runs.keep_result(self.context.database, self.run, returned)
            )

    @cached_property
    def secrets(self) -> list[Any]:
        """The arguments that nobody may read but the body."""
        run, actor = self.run, self.actor
        if not actor.secrets:
            return []
        given = [*run.args, *self.piped]
        return opened(actor.fn, actor.secrets, given, run.kwargs)

    @property
    def piped(self) -> list[Any]:
        """The result of the step before; encrypted if a secret may be among it."""
        return [] if self.options.pipe_ignore else self.run.piped or []

    def fail(self, error: BaseException) -> None:
        """Settle as a failure: again later, or never."""
        with hiding(self.secrets):
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        failure = Failure.of(error)
        wait = verdict.wait(self.run.retries, self.options, error)
        calls = followups.failure(self.options, self.message, error)
        if wait is None:
            if verdict.is_exhausted(self.options, error):
                calls += followups.exhausted(self.options, self.message, self.run)
            self.bury(failure, calls)
            logger.error(
                "Gave up on %s, run %d: %s", self.name, self.run.attempt, failure.error
            )
        else:
            self._settle(
                lambda: runs.retry(self.context.database, self.run, failure, wait),
                calls,
            )
            logger.warning(
                "%s failed, waits %.1f s: %s", self.name, wait, failure.error
            )

    def bury(self, failure: Failure, calls: tuple[Envelope, ...] = ()) -> None:
        """Settle as dead."""
        self._settle(lambda: runs.bury(self.context.database, self.run, failure), calls)
        self.context.middleware.before("nack", self.message)
        self.context.middleware.after("nack", self.message)

    def stop(self, why: str) -> None:
        """Settle as cancelled."""
        failure = Failure(Outcome.FAILED, why)
        self._settle(lambda: runs.stop(self.context.database, self.run, failure), ())
        logger.info("Stopped %s: %s.", self.name, why)

    def _settle(self, step: Any, calls: tuple[Envelope, ...]) -> bool:
        return self.context.persist(lambda: self._step(step, calls))

    def _step(self, step: Any, calls: tuple[Envelope, ...]) -> bool:
        with transaction.atomic(using=self.context.database):
            if not self.stored and not self._adopt():
                return False
            settled: bool = step()
            if settled:
                for call in calls:
                    self._call(call)
                if self.run.limit_granted:
                    self.context.outbox.nudge(self.run.queue_name)
        return settled

    def _call(self, call: Envelope) -> None:
        """Send a callback of a failure; the failure is settled all the same."""
        try:
            self.context.enqueue((call,))
        except CallbackRefused as error:
            logger.error("After %s failed: %s", self.name, error)

    def _adopt(self) -> bool:
        """Give a direct message its row: now there is something to remember."""
        self.run.worker = self.context.lease.take()
        return runs.adopt(self.context.database, self.run)
