"""The view as text: for a pipe, and as the parts of the live page."""

from core.management.tasks_verbs import columns
from core.management.tasks_verbs.verb import table
from core.management.top.parts import PARTS
from core.management.top.view import View

FINE = "Nothing is wrong."


def wrong(view: View) -> str:
    """Return what is wrong, each with the commands that show it or end it."""
    lines = []
    for one in view.wrong:
        lines += [f"! {one.says}", *(f"    {command}" for command in one.see)]
    return "\n".join(lines) or FINE


def brokers(view: View) -> str:
    """Return how the brokers are."""
    return table(columns.BROKERS, columns.broker_rows(view.brokers))


def page(view: View) -> str:
    """Return everything."""
    parts = [
        view.headline,
        wrong(view),
        brokers(view),
        *(
            table(part.heads, part.rows(getattr(view, name)))
            for name, part in PARTS.items()
        ),
    ]
    return "\n\n".join(parts)
