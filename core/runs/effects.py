"""The steps of an effect outside the database, each fenced by a token.

                 +------------ repeat, or settled by hand ---------+
                 v                                                 |
intend ---> performing --- settle ---> done | failed | unknown ----+
                 +-------- abandon (its process died) ---^
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core.errors import EffectBusy, EffectUnknown, InsideTransaction
from core.models import Effect, EffectState, Run, State
from core.runs.failures import readable
from core.runs.waiting import later
from core.wire.intent import Intent

#: Seconds after which an effect outside of any run is given up.
FORGOTTEN = 600
#: The policy that never repeats an unknown effect.
ASK = "ask"


def intend(database: str, intent: Intent) -> Effect:
    """Write down what is about to be done; return the row.

    With the token of the intent: do it. Otherwise it is done, and has its value.

    Raises `EffectBusy`: another one is at it; `EffectUnknown`: it may have happened,
    and its policy is to ask; `InsideTransaction`: the intent could be rolled back.
    """
    meant = Effect(**asdict(intent), intended_at=Now())
    try:
        with transaction.atomic(using=database, durable=True):
            Effect.objects.using(database).bulk_create([meant], ignore_conflicts=True)
            row = Effect.objects.using(database).filter(pk=intent.key)
            found = row.select_for_update().get()
            if found.token != intent.token and found.state != EffectState.DONE:
                _take_over(database, row, found, intent)
    except RuntimeError as error:
        if transaction.get_connection(database).in_atomic_block:
            raise InsideTransaction(intent.name) from error
        raise
    if found.state == EffectState.UNKNOWN:
        raise EffectUnknown(found.key, found.error)
    return found


def _take_over(
    database: str, row: QuerySet[Effect], found: Effect, intent: Intent
) -> None:
    """Perform it again, or leave it unknown for somebody to settle."""
    if found.state == EffectState.PERFORMING:
        if _is_at_work(database, found):
            raise EffectBusy(found.key)
        found.state, found.error = EffectState.UNKNOWN, "its attempt ended"
        row.update(state=found.state, error=found.error, unknowns=F("unknowns") + 1)
    if found.state == EffectState.UNKNOWN and intent.policy == ASK:
        return
    found.state, found.token = EffectState.PERFORMING, intent.token
    row.update(**asdict(intent), state=found.state, intended_at=Now(), settled_at=None)


def _is_at_work(database: str, effect: Effect) -> bool:
    """Return True if the attempt that performs an effect still runs."""
    run = None
    if effect.run_id is not None:
        run = Run.objects.using(database).filter(pk=effect.run_id).first()
    if run is not None:
        return run.state == State.RUNNING and run.attempt == effect.attempt
    recent = Effect.objects.using(database).filter(intended_at__gt=later(-FORGOTTEN))
    return recent.filter(pk=effect.pk).exists()


def settle(database: str, intent: Intent, state: EffectState, **told: Any) -> bool:
    """Write down what came of it; False: somebody else performs it by now."""
    mine = Effect.objects.using(database).filter(pk=intent.key, token=intent.token)
    changes = {"state": state, "settled_at": Now(), "error": "", **told}
    changes["error"] = readable(changes["error"])
    if state == EffectState.UNKNOWN:
        changes["unknowns"] = F("unknowns") + 1
    return mine.filter(state=EffectState.PERFORMING).update(**changes) == 1


def abandon(database: str, attempts: Iterable[Run]) -> None:
    """Note that nobody knows what came of what these attempts were performing."""
    theirs = {(run.pk, run.attempt) for run in attempts}
    performing = Effect.objects.using(database).filter(
        run_id__in={pk for pk, _ in theirs}, state=EffectState.PERFORMING
    )
    lost = [row.pk for row in performing if (row.run_id, row.attempt) in theirs]
    performing.filter(pk__in=lost).update(
        state=EffectState.UNKNOWN,
        error="its process died",
        settled_at=Now(),
        unknowns=F("unknowns") + 1,
    )


def answer(database: str, key: str, *, happened: bool, value: Any = None) -> bool:
    """Settle an unknown effect by hand; False: there is none under this key."""
    unknown = Effect.objects.using(database).filter(pk=key, state=EffectState.UNKNOWN)
    state = EffectState.DONE if happened else EffectState.FAILED
    return unknown.update(state=state, value=value, settled_at=Now()) == 1
