"""Helpers for the tests of a project with tasks, in unittest and in pytest.

Loaded at first use: pytest imports the plugin before Django's apps are there.
"""

from typing import TYPE_CHECKING, Any

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from core.testing.clock import advance_time
    from core.testing.draining import drain, inline, perform
    from core.testing.mixin import TaskTestMixin
    from core.testing.processes import running_worker
    from core.testing.recorder import recording, rehearsing
    from core.testing.repeating import assert_safe_to_repeat
    from core.testing.rows import enqueued

__all__ = [  # noqa: RUF022  # grouped for the reader, not sorted
    # What waits, and running it
    "enqueued",
    "drain",
    "perform",
    "advance_time",
    # Whether a body may run twice
    "assert_safe_to_repeat",
    # For a class of tests
    "TaskTestMixin",
    # For a block; the plugin's fixtures are made of them
    "inline",
    "recording",
    "rehearsing",
    "running_worker",
]

_HOMES = {
    "TaskTestMixin": "mixin",
    "advance_time": "clock",
    "assert_safe_to_repeat": "repeating",
    "drain": "draining",
    "enqueued": "rows",
    "inline": "draining",
    "perform": "draining",
    "recording": "recorder",
    "rehearsing": "recorder",
    "running_worker": "processes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_string(f"{__name__}.{_HOMES[name]}.{name}")
