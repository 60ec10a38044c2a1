"""Start-up of a web process."""

from core import brokers


def build_brokers() -> None:
    """Build every configured broker.

    A wrong setting stops the process at its start instead of a customer's order, and
    the first send need not wait for an engine to be imported (0.3 s for Celery).
    """
    for alias in brokers:
        brokers[alias]
