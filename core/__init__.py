"""Switchyard: one task interface, on Celery or Dramatiq, on Redis or RabbitMQ."""

from core.broker.handler import brokers
from core.errors import (
    BadMessage,
    BrokerConfigError,
    BrokerUnavailable,
    Cancelled,
    CoreError,
    DuplicateActor,
    EffectBusy,
    EffectUnknown,
    IdempotencyConflict,
    InsideTransaction,
    InvalidActor,
    InvalidArguments,
    InvalidFilter,
    InvalidOption,
    InvalidResult,
    InvalidTrigger,
    LeaseLost,
    NoMessage,
    NotDurable,
    OptionConflict,
    PayloadTooLarge,
    QueueFull,
    ResultError,
    ResultFailure,
    ResultMissing,
    ResultTimeout,
    Retry,
    SentTwice,
    Shutdown,
    SkipMessage,
    TimeLimitExceeded,
    UnknownActor,
    UnknownOption,
    UnknownRun,
    UnknownSchedule,
    WrongDatabase,
)
from core.interface.actors import Actor, actor, send_many
from core.interface.composition import group
from core.interface.effects import effect
from core.interface.events import publish
from core.interface.messages import Message, pipeline
from core.middleware import Middleware
from core.routing.routes import by_load
from core.secrets.values import Secret
from core.triggers import at, crontab, every, scheduled, solar
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
    "effect",
    # Schedules
    "at",
    "crontab",
    "every",
    "scheduled",
    "solar",
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
    "EffectBusy",
    "EffectUnknown",
    "InsideTransaction",
    "InvalidActor",
    "InvalidArguments",
    "InvalidFilter",
    "InvalidOption",
    "InvalidTrigger",
    "LeaseLost",
    "NoMessage",
    "PayloadTooLarge",
    "QueueFull",
    "SentTwice",
    "UnknownActor",
    "UnknownOption",
    "UnknownRun",
    "UnknownSchedule",
    "WrongDatabase",
]
