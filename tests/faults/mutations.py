"""Switchyard without one of its safeguards: the scenarios must notice.

FAULTS_MUTATION names the safeguard that the processes go without.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from backends.celery.rabbit_connection import RabbitConnection
from backends.dramatiq.rabbitmq_connection import RabbitmqConnection
from core import runs
from core.models import CanaryMark, Run
from core.runs import attempts
from core.worker.interrupts import Interrupts


def without_rescue() -> None:
    """Nobody takes back what a dead worker held."""
    runs.rescue = lambda database, broker: 0


def without_telling() -> None:
    """Nobody who has lost its lease is told so; the fence alone refuses it."""
    Interrupts.raise_in_all = lambda self, error: 0  # type: ignore[method-assign]  # broken on purpose


def without_fence() -> None:
    """Whoever has held a run settles it, also one who has been replaced."""
    without_telling()

    def held(database: str, run: Run) -> QuerySet[Run]:
        return Run.objects.using(database).filter(pk=run.pk)

    attempts._held = held
    attempts._FENCE = "%s > 0"


def without_confirms() -> None:
    """What has been written to RabbitMQ's socket counts as sent."""
    if settings.BROKERS["default"]["BACKEND"].startswith("backends.celery"):
        RabbitConnection._confirmed = _unconfirmed  # type: ignore[method-assign]  # broken on purpose
    else:
        send = RabbitmqConnection._send

        def unconfirmed(
            connection: RabbitmqConnection, *args: Any, **kwargs: Any
        ) -> None:
            send(connection, *args, **kwargs)
            connection._unconfirmed.clear()

        RabbitmqConnection._send = unconfirmed  # type: ignore[method-assign]  # broken on purpose


def _unconfirmed(
    connection: RabbitConnection, items: Sequence[Any], send: Callable[[Any], None]
) -> None:
    connection._returned = set()
    for item in items:
        connection._raw.bound_write()
        send(item)


def with_doubles() -> None:
    """Whatever happens, a canary leaves two marks."""
    save = CanaryMark.save

    def twice(mark: CanaryMark, **how: Any) -> None:
        twin = copy(mark)
        save(twin, **how)
        save(mark, **how)

    CanaryMark.save = twice  # type: ignore[method-assign]  # broken on purpose


MUTATIONS = {
    "doubles on": with_doubles,
    "rescue off": without_rescue,
    "telling off": without_telling,
    "fence off": without_fence,
    "confirms off": without_confirms,
}


def arm(name: str) -> None:
    """Go without a safeguard from now on."""
    MUTATIONS[name]()
