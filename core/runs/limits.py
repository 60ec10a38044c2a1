"""Limits: how many runs of a key are out at once, and how often one may start.

Enforced before publishing, under a lock on the key's own row: what is refused stays
pending, untouched. `Run.limit_granted` says that a run may go; whatever ends its
attempt takes that away again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from core.models import Limit, Run

#: Seconds that a start may come too early: the relay works in rounds.
TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class LimitRule:
    """An actor's limits: the runs at once, and the seconds between two starts."""

    size: int | None = None
    interval: float | None = None

    @property
    def is_limit(self) -> bool:
        """Return True if there is a limit at all."""
        return self.size is not None or self.interval is not None


#: The rule of every known actor, also of those without a limit.
LimitRules = Mapping[str, LimitRule]


def any_limits(rules: LimitRules) -> bool:
    """Return True if an actor has a limit."""
    return any(rule.is_limit for rule in rules.values())


def takeable(due: QuerySet[Run], rules: LimitRules) -> QuerySet[Run]:
    """Leave out what no Limit would let go now.

    Also what has a limit and an actor of a newer release, which is not known here.
    """
    due = due.filter(Q(limit_key__isnull=True) | Q(actor_name__in=list(rules)))
    if not any_limits(rules):
        return due
    return due.filter(Q(limit_key__isnull=True) | ~_is_spent())


def _is_spent() -> Exists:
    """Return whether the Limit of a run lets nobody go now.

    In SQL: there may be a key for each user, and no statement takes them all.
    """
    out = Run.objects.filter(limit_granted=True, limit_key=OuterRef("key")).order_by()
    used = Subquery(out.values("limit_key").annotate(n=Count("pk")).values("n"))
    is_full = Q(size__isnull=False, size__lte=Coalesce(used, 0))
    is_early = Q(next_at__gt=Now() + timedelta(seconds=TOLERANCE))
    limits = Limit.objects.filter(key=OuterRef("limit_key"))
    return Exists(limits.filter(is_early | is_full))


def _used(database: str, keys: Iterable[str]) -> Counter[str]:
    out = Run.objects.using(database).filter(limit_granted=True, limit_key__in=keys)
    return Counter(key for key in out.values_list("limit_key", flat=True) if key)


def grant(database: str, rows: Sequence[Run], rules: LimitRules) -> list[Run]:
    """Return the rows that may go out now, in their order. In a transaction.

    A run that was sent when its actor had a limit, which it has no more, may go.
    """
    by_key: dict[str, list[Run]] = defaultdict(list)
    for run in rows:
        if run.limit_key is not None and run.actor_name in rules:
            by_key[run.limit_key].append(run)
    admitted = {run.pk for run in rows if run.limit_key is None}
    if by_key:
        _ensure(database, by_key, rules)
        used = _used(database, by_key)
        for limit in _locked(database, by_key):
            waiting = by_key[limit.key]
            rule = rules[waiting[0].actor_name]
            number = min(len(waiting), _free(rule, used[limit.key]))
            number = _spend(database, limit, rule, number)
            admitted.update(run.pk for run in waiting[:number])
    return [run for run in rows if run.pk in admitted]


def _free(rule: LimitRule, used: int) -> int:
    return 10**6 if rule.size is None else max(0, rule.size - used)


def _ensure(
    database: str, by_key: Mapping[str, Sequence[Run]], rules: LimitRules
) -> None:
    """Have a row for each key that says what its actor's declaration says."""
    there = Limit.objects.using(database).in_bulk(list(by_key))
    for key, waiting in by_key.items():
        rule = rules[waiting[0].actor_name]
        wanted = {"size": rule.size, "interval": rule.interval}
        if key not in there:
            row = Limit(key=key, **wanted)
            Limit.objects.using(database).bulk_create([row], ignore_conflicts=True)
        elif (there[key].size, there[key].interval) != (rule.size, rule.interval):
            Limit.objects.using(database).filter(key=key).update(**wanted)


def _locked(database: str, keys: Iterable[str]) -> QuerySet[Limit]:
    """Return the rows, locked in one order: two relays cannot deadlock."""
    found = Limit.objects.using(database).filter(key__in=keys).order_by("key")
    return found.select_for_update()


def _spend(database: str, limit: Limit, rule: LimitRule, number: int) -> int:
    """Take `number` starts, or as many as the rate allows now; return how many."""
    if rule.interval is None or not number:
        return number
    row = Limit.objects.using(database).filter(pk=limit.pk)
    now: datetime = row.values_list(Now(), flat=True)[0]
    horizon = now + timedelta(seconds=TOLERANCE)
    next_at, taken = max(limit.next_at or now, now), 0
    while taken < number and next_at <= horizon:
        next_at += timedelta(seconds=rule.interval)
        taken += 1
    if taken:
        row.update(next_at=next_at)
    return taken


def wait(database: str) -> float | None:
    """Return the seconds until the next start of a rate that is used up; or None."""
    early = Limit.objects.using(database).filter(next_at__gt=Now())
    first = early.order_by("next_at").values_list(F("next_at"), Now()).first()
    if first is None:
        return None
    seconds: float = (first[0] - first[1]).total_seconds()
    return max(0.0, seconds - TOLERANCE)


def forget_unused(database: str) -> None:
    """Delete rows that say nothing any more: no run holds or awaits their key."""
    unused = Limit.objects.using(database).filter(
        ~Exists(Run.objects.filter(limit_key=OuterRef("key"), limit_granted=True)),
        Q(next_at__isnull=True) | Q(next_at__lt=Now() - timedelta(hours=1)),
    )
    unused.delete()
