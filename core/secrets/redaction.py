"""Where an exception becomes text: without the secret arguments of the run at hand.

A body may put a secret into what it raises. Whatever of core writes an exception down,
in a row, a message or a log line, gets its text here.

What cannot be found: secrets under `SHORTEST` characters, because without every "a" or
"42" no text could be read any more; what a body has encoded otherwise than Python,
JSON and URLs do, cut in two, or made another case of; True, False and None.
"""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, quote_plus

#: Shorter secrets are not looked for.
SHORTEST = 4
#: What is written instead.
STARS = "***"

_hidden: ContextVar[tuple[str, ...]] = ContextVar("switchyard_hidden", default=())


@contextmanager
def hiding(values: Any) -> Iterator[None]:
    """Leave these values out of all text made inside, and what they contain."""
    forms = {form for leaf in _leaves(values) for form in _forms(leaf)}
    # The longest first: one may be the beginning of another.
    known = sorted(forms | set(_hidden.get()), key=len, reverse=True)
    token = _hidden.set(tuple(form for form in known if len(form) >= SHORTEST))
    try:
        yield
    finally:
        _hidden.reset(token)


def redact(text: str) -> str:
    """Return the text without what is hidden here."""
    for form in _hidden.get():
        text = text.replace(form, STARS)
    return text


def told(error: BaseException) -> str:
    """Return the last line of a traceback, as "ValueError: no".

    It begins with the name of the class, whatever notes the exception has.
    """
    # Not str(error), which is the actor's own code once more, and may raise.
    known = traceback.TracebackException(type(error), error, None, compact=True)
    known.__notes__ = []
    return redact(list(known.format_exception_only())[-1]).strip()


def trace(error: BaseException, after: str = "") -> str:
    """Return a traceback with its causes.

    Without its first frames, if they are of files below the folder `after`.
    """
    told = traceback.TracebackException.from_exception(error)
    first = (n for n, frame in enumerate(told.stack) if not _below(after, frame))
    del told.stack[: next(first, 0)]
    return redact("".join(told.format()))


def _below(folder: str, frame: traceback.FrameSummary) -> bool:
    return bool(folder) and frame.filename.startswith(folder)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _forms(secret: str) -> Iterator[str]:
    """Return the ways in which a text may show a secret; also line by line."""
    for part in {
        secret,
        secret.strip(),
        *(line.strip() for line in secret.splitlines()),
    }:
        yield part
        yield repr(part)[1:-1]
        yield ascii(part)[1:-1]
        yield repr(repr(part))[2:-2]  # the text of a KeyError, among others
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        raw = part.encode(errors="surrogatepass")
        yield quote(raw, safe="")
        yield quote(raw)
        yield quote_plus(raw)
