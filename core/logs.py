"""Log records that say which run they are of, one line each, for programs to read.

`RunFilter` is for a handler, not for a logger: the filters of a logger do not see the
records of the loggers below it. What redacts is a filter after it; see `_Line`.
"""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.worker.current import current_run

#: Attributes of every record; any other was given with `extra=`.
STOCK = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Fields of the formatter; an `extra` of the same name gets a "_" appended.
OWN = frozenset({"time", "level", "logger", "exception", "stack"})
#: A value with one of these is quoted.
QUOTED = frozenset(' "=\\')


class RunFilter(logging.Filter):
    """Puts run_id, actor, queue and attempt on each record emitted inside a body.

    The body's own records, and those of the libraries that it calls, in its thread or
    coroutine. Lets every record through.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the current run to the record."""
        run = current_run()
        if run is not None:
            record.run_id = run.id
            record.actor = run.actor_name
            record.queue = run.queue_name
            record.attempt = run.attempt
        return True


class _Line(logging.Formatter):
    """A record as one line, of whatever filters have left on it.

    Like the stock one it takes `record.exc_text`, if it is set, for the traceback.
    """

    def fields(self, record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
        """Tell the record: what is always there, then `extra`, then tracebacks."""
        yield "time", datetime.fromtimestamp(record.created, UTC).isoformat()
        yield "level", record.levelname
        yield "logger", record.name
        yield "message", record.getMessage()
        for name, value in vars(record).items():
            if name not in STOCK:
                yield f"{name}_" if name in OWN else name, value
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            yield "exception", record.exc_text
        if record.stack_info:
            yield "stack", self.formatStack(record.stack_info)


class JsonFormatter(_Line):
    """A JSON object a line; what JSON does not know is its `str`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = dict(self.fields(record))
        try:
            return _json(fields)
        except (TypeError, ValueError, RecursionError):  # keys, circles
            return _json({name: str(value) for name, value in fields.items()})


class KeyValueFormatter(_Line):
    """key=value ... a line, as logfmt has it; quoted where it must be."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return " ".join(
            f"{name}={_quoted(value)}" for name, value in self.fields(record)
        )


def _quoted(value: Any) -> str:
    text = str(value)
    if text and text.isprintable() and not QUOTED.intersection(text):
        return text
    return _json(text)


def _json(value: Any) -> str:
    """Return JSON that any stream in UTF-8 takes."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()
