"""The only hooks into Dramatiq's worker; the stock command line is refused by them."""

import sys
from typing import Any, cast

from dramatiq import Broker, MessageProxy, Middleware, Worker
from dramatiq.middleware import SkipMessage

from backends.dramatiq.broker import CourierBroker
from backends.dramatiq.wire import Delivery
from core.backend import BARE_WORKER


class SupervisedWorker(Worker):
    """Dramatiq's worker as `manage.py worker` starts it; its command line does not."""


class WorkerHooks(Middleware):
    """Tell core when a worker starts and stops; keep what could not be settled."""

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Register the actors and the queues that this worker was asked to serve."""
        courier = cast(CourierBroker, broker)
        if not isinstance(worker, SupervisedWorker):
            sys.exit(BARE_WORKER.format(command="dramatiq", alias=courier.alias))
        courier.register(worker.consumer_whitelist or ())

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Report the threads of this process."""
        cast(CourierBroker, broker).receiver.worker_started(worker.worker_threads)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Report the order to stop, before Dramatiq waits for what is running."""
        courier = cast(CourierBroker, broker)
        courier.stop_taking()
        courier.receiver.worker_stopping()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Report that nothing runs here any more."""
        cast(CourierBroker, broker).receiver.worker_stopped()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Skip what the broker has taken back: its other copy is on the way."""
        if isinstance(message, Delivery) and message.stale:
            raise SkipMessage("The connection that brought it is gone.")

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """Mark what `deliver` could not settle, so that it goes back to the queue.

        Without the engine's Retries, Dramatiq acknowledges a message that raised.
        """
        if exception is not None:
            message.fail()
