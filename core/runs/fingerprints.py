"""Grouping failures by actor, exception type and code location.

The place is a function, not a line: a deploy moves lines.
"""

import hashlib
import os
import sysconfig
from pathlib import Path
from types import TracebackType

from core.options import MAX_NAME

_CORE = Path(__file__).parents[1]
#: Folders without project code: Python, its packages and this package.
_FOREIGN = (
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib")),
    *(f"{_CORE.with_name(name)}{os.sep}" for name in ("core", "backends")),
    "<frozen ",
)


def kind_of(error: BaseException) -> str:
    """Return the name of an exception's type, with its module if it is not Python's."""
    kind = type(error)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{home}{kind.__qualname__}"[:MAX_NAME]


def place_of(error: BaseException) -> str:
    """Return the innermost function of the user's own code; of any, without such."""
    places = list(_places(error.__traceback__))
    own = [name for file, name in places if not file.startswith(_FOREIGN)]
    inner = own or [name for _, name in places]
    return inner[-1][-MAX_NAME:] if inner else ""


def _places(tb: TracebackType | None) -> list[tuple[str, str]]:
    found = []
    while tb is not None:
        code = tb.tb_frame.f_code
        module = tb.tb_frame.f_globals.get("__name__", "")
        found.append((code.co_filename, f"{module}.{code.co_qualname}"))
        tb = tb.tb_next
    return found


def fingerprint(actor_name: str, kind: str, place: str) -> str:
    """Return what failures of one cause have in common, 16 characters; "" for none."""
    if not kind:
        return ""
    told = "\0".join((actor_name, kind, place)).encode(errors="backslashreplace")
    return hashlib.sha256(told).hexdigest()[:16]
