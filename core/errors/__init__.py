"""Every error that core raises: what is wrong, where, and what to do.

Positional arguments go to `super().__init__`, so that each error pickles.
"""

from core.errors.declaring import (
    BrokerConfigError,
    DuplicateActor,
    InvalidOption,
    OptionConflict,
    UnknownActor,
    UnknownOption,
)
from core.errors.root import CoreError
from core.errors.running import (
    Cancelled,
    Interrupt,
    InvalidResult,
    LeaseLost,
    NotDurable,
    Retry,
    Shutdown,
    SkipMessage,
    TimeLimitExceeded,
)
from core.errors.sending import (
    BadMessage,
    BrokerUnavailable,
    IdempotencyConflict,
    InvalidArguments,
    PayloadTooLarge,
    ResultError,
    ResultFailure,
    ResultMissing,
    ResultTimeout,
    UnknownRun,
    WrongDatabase,
)

__all__ = [
    "BadMessage",
    "BrokerConfigError",
    "BrokerUnavailable",
    "Cancelled",
    "CoreError",
    "DuplicateActor",
    "IdempotencyConflict",
    "Interrupt",
    "InvalidArguments",
    "InvalidOption",
    "InvalidResult",
    "LeaseLost",
    "NotDurable",
    "OptionConflict",
    "PayloadTooLarge",
    "ResultError",
    "ResultFailure",
    "ResultMissing",
    "ResultTimeout",
    "Retry",
    "Shutdown",
    "SkipMessage",
    "TimeLimitExceeded",
    "UnknownActor",
    "UnknownOption",
    "UnknownRun",
    "WrongDatabase",
]
