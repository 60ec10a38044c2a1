"""Celery's consumer, made to outlive its broker and what comes from it."""

import logging
import warnings
from typing import Any

from celery import bootsteps
from celery.exceptions import CPendingDeprecationWarning
from celery.worker import consumer as stock
from celery.worker.consumer.consumer import CONNECTION_RETRY
from celery.worker.consumer.consumer import logger as stock_logger
from celery.worker.state import maybe_shutdown

from backends.celery.reading import condemn, prepare
from backends.celery.redis_channel import QoS
from core.errors import BrokerUnavailable
from core.outages import Outage

logger = logging.getLogger(__name__)

#: Between two tries to connect, in seconds: the first, and the longest.
_FIRST_TRY, _LONGEST_TRY = 0.2, 1.0


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for Celery's own line about a lost connection: ours says more."""
    return CONNECTION_RETRY not in (record.msg, *(record.args or ()))


class Consumer(stock.Consumer):
    """Consumes for ever; hands Celery only what it can run."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The command line would turn these on: chatter among workers.
        quiet = dict.fromkeys(("without_mingle", "without_gossip"), True)
        # Who tells of its tasks tells of itself, too.
        quiet["without_heartbeat"] = not kwargs.get("task_events")
        options = dict(kwargs.pop("worker_options", None) or {}) | quiet
        super().__init__(*args, worker_options=options, **kwargs)
        stock_logger.addFilter(_is_news)
        back = f"Consuming from {self.app.main!r} again"
        self._outage = Outage(logger, "Cannot consume", back)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Any:
        run = self._run = super().create_task_handler(*args, **kwargs)
        declared, longest = self.app.declared, self.app.longest

        def on_message(message: Any) -> None:
            self._name_queue(message)
            prepare(message, declared, longest)
            run(message)

        return on_message

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        self._name_queue(message)
        condemn(message, f"the message does not decode: {ascii(exc)[:200]}")
        self._run(message)

    def _name_queue(self, message: Any) -> None:
        # Through another exchange it comes with a routing key of any kind.
        tag = message.delivery_info.get("consumer_tag")
        for queue, ours in self.task_consumer._active_tags.items():
            if ours == tag:
                message.delivery_info["routing_key"] = queue

    def ensure_connected(self, conn: Any) -> Any:
        # Stock waits up to 30 s between tries and gives up after 100.
        conn.ensure_connection(
            self._lost,
            interval_start=_FIRST_TRY,
            interval_step=_FIRST_TRY,
            interval_max=_LONGEST_TRY,
            callback=maybe_shutdown,
        )
        self._outage.end()
        self.first_connection_attempt = False
        return conn

    def _lost(self, exc: Exception, interval: float = 0) -> None:
        problem = f"{type(exc).__name__}: {exc}"
        where = self.app.address.shown
        self._outage.begin(BrokerUnavailable(self.app.main, problem, where))

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        self._lost(exc)
        # What runs goes on running and is acknowledged later: no second copy.
        for channel in getattr(self.connection.transport, "channels", None) or ():
            channel.do_restore = False
        with warnings.catch_warnings():
            # It advises to cancel what runs, which threads cannot.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)


class Renewal(bootsteps.StartStopStep):
    """Keeps what this worker runs from looking abandoned, on Redis."""

    requires = (stock.Tasks,)

    def start(self, consumer: Any) -> None:
        if consumer.connection.transport.driver_type == "redis":
            every = consumer.task_consumer.channel.visibility_timeout / 3
            consumer.hub.call_repeatedly(every, self._renew)
            self._renew()  # after an outage, what was done during it

    def _renew(self) -> None:
        for qos in tuple(QoS.living):
            qos.renew()
