"""Switchyard: one task interface, on Celery or Dramatiq, on Redis or RabbitMQ."""

from core.actors import Actor, actor
from core.errors import (
    BadMessage,
    BrokerConfigError,
    BrokerUnavailable,
    CoreError,
    DuplicateActor,
    InvalidArguments,
    InvalidOption,
    LeaseLost,
    PayloadTooLarge,
    Retry,
    UnknownActor,
    UnknownOption,
    UnknownRun,
    WrongDatabase,
)
from core.handler import brokers
from core.messages import Message
from core.worker.current import CurrentRun, current_run

__all__ = [  # noqa: RUF022  # grouped for the reader, not sorted
    # Tasks
    "Actor",
    "Message",
    "actor",
    # In the body
    "CurrentRun",
    "Retry",
    "current_run",
    # Brokers
    "brokers",
    # Errors
    "BadMessage",
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
