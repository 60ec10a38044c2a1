"""LOGGING from the environment: how a line looks, and how much is told."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

#: LOG_FORMAT -> the formatter.
FORMATS: dict[str, dict[str, Any]] = {
    "line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
    "key-value": {"()": "core.logs.KeyValueFormatter"},
    "json": {"()": "core.logs.JsonFormatter"},
}


def log_lines(style: str, level: str | None) -> dict[str, Any]:
    """Return LOGGING in one of `FORMATS`; without a level, our own from INFO on."""
    if style not in FORMATS:
        raise ImproperlyConfigured(
            f"LOG_FORMAT is {style!r}; it must be one of {', '.join(FORMATS)}."
        )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"run": {"()": "core.logs.RunFilter"}},
        "formatters": {"line": FORMATS[style]},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["run"],
                "formatter": "line",
            }
        },
        "root": {"handlers": ["stderr"], "level": level or "WARNING"},
        "loggers": {
            "core": {"level": level or "INFO"},
            "shop": {"level": level or "INFO"},
            # Both say with a traceback what the adapters handle, and core in a line.
            "pika": {"level": "CRITICAL"},
            "celery.worker.request": {"level": "CRITICAL", "propagate": False},
        },
    }
