"""manage.py tasks, as people and as programs call it."""

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


def tasks(*args: str) -> str:
    """Return what a verb prints."""
    out = StringIO()
    call_command("tasks", *args, stdout=out)
    return out.getvalue()


def told(*args: str) -> Any:
    """Return what it tells programs."""
    return json.loads(tasks(*args, "--json"))
