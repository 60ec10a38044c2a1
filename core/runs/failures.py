"""What is kept of an attempt that did not succeed."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models.functions import Now

from core.models import Attempt, Outcome, Run


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended, for the operator."""

    outcome: Outcome
    error: str
    traceback: str = ""


def remember(database: str, runs: Iterable[Run], failure: Failure) -> None:
    Attempt.objects.using(database).bulk_create(
        Attempt(
            run_id=run.pk,
            number=run.attempt,
            outcome=failure.outcome,
            worker=run.worker,
            started_at=run.started_at or Now(),
            finished_at=Now(),
            error=failure.error,
            traceback=failure.traceback,
        )
        for run in runs
    )
