"""The reference of the options, made from the table that the code reads.

python -m tests.core.reference writes docs/reference/options.md anew.
"""

from dataclasses import fields
from pathlib import Path

from core.options import Options

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "options.md"
HEAD = """# Options

Options of `@actor(...)` and of a send: `actor.using(...).send(...)` or
`actor.send_with_options(...)`. An option of the send overrides that of the actor, which
overrides that of the broker alias (`BROKERS[alias]["ACTOR_OPTIONS"]`), which overrides
the default. A duration is a `timedelta` or an int in milliseconds; the defaults are in
milliseconds.

| option | default | at | meaning |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    rows = [
        f"| `{f.name}` | `{f.default!r}` | {f.metadata['where'].replace(' ', ', ')} |"
        f" {f.metadata['meaning']} |\n"
        for f in fields(Options)
    ]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page())
