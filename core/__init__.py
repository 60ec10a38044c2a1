"""Switchyard: one task interface, on Celery or Dramatiq, on Redis or RabbitMQ."""

from core.actors import Actor, actor, send_many
from core.composition import group
from core.errors import (
    BadMessage,
    BrokerConfigError,
    BrokerUnavailable,
    Cancelled,
    CoreError,
    DuplicateActor,
    IdempotencyConflict,
    InvalidArguments,
    InvalidOption,
    InvalidResult,
    LeaseLost,
    NotDurable,
    OptionConflict,
    PayloadTooLarge,
    ResultError,
    ResultFailure,
    ResultMissing,
    ResultTimeout,
    Retry,
    Shutdown,
    SkipMessage,
    TimeLimitExceeded,
    UnknownActor,
    UnknownOption,
    UnknownRun,
    WrongDatabase,
)
from core.events import publish
from core.handler import brokers
from core.messages import Message, pipeline
from core.middleware import Middleware
from core.routes import by_load
from core.secret import Secret
from core.worker.current import CurrentRun, current_run

__all__ = [  # noqa: RUF022  # grouped for the reader, not sorted
    # Tasks
    "Actor",
    "Message",
    "Middleware",
    "Secret",
    "actor",
    "group",
    "pipeline",
    "publish",
    "send_many",
    # In the body
    "CurrentRun",
    "Retry",
    "current_run",
    # Brokers
    "brokers",
    "by_load",
    # Errors
    "BadMessage",
    "TimeLimitExceeded",
    "SkipMessage",
    "Shutdown",
    "ResultTimeout",
    "ResultMissing",
    "ResultFailure",
    "ResultError",
    "InvalidResult",
    "Cancelled",
    "OptionConflict",
    "NotDurable",
    "IdempotencyConflict",
    "BrokerConfigError",
    "BrokerUnavailable",
    "CoreError",
    "DuplicateActor",
    "InvalidArguments",
    "InvalidOption",
    "LeaseLost",
    "PayloadTooLarge",
    "UnknownActor",
    "UnknownOption",
    "UnknownRun",
    "WrongDatabase",
]
