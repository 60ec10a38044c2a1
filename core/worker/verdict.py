"""Whether and when a failed attempt is retried."""

import logging
import random
from datetime import timedelta

from core.errors import EffectUnknown, InvalidResult, Retry
from core.options import Options, duration
from core.secrets.redaction import trace

logger = logging.getLogger(__name__)

#: Exponents above this make no longer waits. Source: Dramatiq 2.2, `compute_backoff`.
MAX_EXPONENT = 32


def wait(retries: int, options: Options, error: BaseException) -> float | None:
    """Return the seconds before the next attempt, or None when there is none.

    `retries` is how many there were so far.
    """
    try:
        if not _may_retry(retries, options, error):
            return None
        return _delay(retries, options, error) / 1000
    except Exception as raised:  # the actor's retry_when, or the delay of its Retry
        logger.error("Could not tell whether to retry; gave up.\n%s", trace(raised))
        return None


def is_exhausted(options: Options, error: BaseException) -> bool:
    """Return True if a failure without a next attempt was one too many of its kind.

    Source: Dramatiq 2.2, `middleware.retries`.
    """
    return not isinstance(error, (InvalidResult, EffectUnknown, *options.throws))


def _may_retry(retries: int, options: Options, error: BaseException) -> bool:
    # What cannot be kept would be returned again, after the same effects; what is
    # unknown stays so until someone says what happened.
    if isinstance(error, (InvalidResult, EffectUnknown, *options.throws)):
        return False
    if options.retry_when is not None:
        return bool(options.retry_when(retries, error))
    return options.max_retries is None or retries < options.max_retries


def _delay(retries: int, options: Options, error: BaseException) -> float:
    waits = backoff(retries, shortest=options.min_backoff, longest=options.max_backoff)
    if isinstance(error, Retry) and not _is_over(error.delay):
        waits = max(waits, duration("delay", error.delay))
    return waits


def _is_over(delay: object) -> bool:
    """Return True if any wait is long enough: until a time that has passed, say."""
    if isinstance(delay, timedelta):
        return delay <= timedelta()
    return delay is None or (isinstance(delay, int) and delay <= 0)


def backoff(retries: int, *, shortest: int, longest: int) -> float:
    """Return how long to wait before retry number `retries` (0 first), in ms.

    The wait doubles from `shortest`, is stretched by a random factor between 1 and 2,
    so that messages which failed together do not come back together, and never
    exceeds `longest`.

    Source: Dramatiq 2.2, `dramatiq.common.compute_backoff`.
    """
    stretch = random.uniform(1, 2)  # noqa: S311  # spreads load, guards nothing
    doubled: int = shortest << min(retries, MAX_EXPONENT)
    return min(longest, doubled * stretch)
