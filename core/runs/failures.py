"""What is kept of an attempt that did not succeed."""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.db.models.functions import Now

from core.models import Attempt, Outcome, Run

#: So many characters of an error and of a traceback are kept; of this its end.
LONGEST_ERROR = 2_000
LONGEST_TRACEBACK = 20_000


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended, for the operator."""

    outcome: Outcome
    error: str
    traceback: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Tell what a body raised, whatever its exception is made of."""
        # Not str(error), which is the actor's own code once more.
        last = traceback.format_exception_only(error)[-1].strip()
        whole = "".join(traceback.format_exception(error))
        return cls(
            Outcome.FAILED,
            readable(last)[:LONGEST_ERROR],
            readable(whole)[-LONGEST_TRACEBACK:],
        )


def readable(text: str) -> str:
    """Return text that every database can hold: no NUL, no lone surrogate."""
    encodable = text.encode(errors="backslashreplace").decode()
    return encodable.replace("\0", r"\x00")


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
