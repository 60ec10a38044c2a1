"""The record of an attempt that did not succeed."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.db.models.functions import Now

from core.models import Attempt, Outcome, Run
from core.runs.fingerprints import fingerprint, kind_of, place_of
from core.secrets.redaction import told, trace

#: The folder of this code, which tracebacks leave out.
OURS = f"{Path(__file__).parents[1]}{os.sep}"
#: Characters of an error that are kept, and of the end of a traceback.
LONGEST_ERROR = 2_000
LONGEST_TRACEBACK = 20_000
#: Without an exception, this is the end of an attempt that somebody stopped.
WANTED = (Outcome.FAILED,)


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended, for the operator."""

    outcome: Outcome
    error: str
    traceback: str = ""
    kind: str = ""
    place: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Tell what a body raised, whatever its exception is made of."""
        return cls(
            Outcome.FAILED,
            readable(told(error))[:LONGEST_ERROR],
            readable(trace(error, after=OURS))[-LONGEST_TRACEBACK:],
            readable(kind_of(error)),
            readable(place_of(error)),
        )

    @property
    def cause(self) -> str:
        """Name what ended it; empty if somebody wanted it to end."""
        return self.kind or (self.outcome.value if self.outcome not in WANTED else "")


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
            kind=failure.cause,
            place=failure.place,
            fingerprint=fingerprint(run.actor_name, failure.cause, failure.place),
        )
        for run in runs
    )
