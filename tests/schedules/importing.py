"""What an import would do, for the tests of both sources."""

from io import StringIO

from django.core.management import call_command

from backends.celery.importing import find
from core.schedules import Plan, plan
from tests.schedules.rows import NOON


def ask(*args: str) -> str:
    out = StringIO()
    call_command("tasks", "schedules", "import", *args, stdout=out)
    return out.getvalue()


def planned(path: str = "") -> dict[str, Plan]:
    return {one.name: one for one in plan(find(path), NOON)}


def only(path: str = "") -> Plan:
    (one,) = planned(path).values()
    return one


def changes(one: Plan) -> tuple[list[str], list[str]]:
    """What fires no more, and what is new."""
    assert one.comparison is not None
    told = one.comparison.only_there, one.comparison.only_here
    there, here = ([f"{fire:%Y-%m-%d %H:%M}" for fire in fires] for fires in told)
    return there, here
