"""One Celery app per alias: everything of Celery's own meaning is off."""

import sys
from collections.abc import Iterable
from typing import Any

from celery import Celery
from kombu import Connection as StockConnection
from kombu import Queue
from kombu.transport import pyamqp

from backends.address import Address
from backends.celery import rabbit_transport
from backends.celery.consumer import Renewal
from backends.celery.redis_channel import PublisherTransport, Transport
from backends.celery.urls import kombu_arguments
from core.backend import BANDS, BARE_WORKER

#: Seconds a worker waits for one answer of the broker before it connects anew.
_ANSWER = 2.0

#: On Redis a queue is one list for each band; the first with an item is served.
_STEPS = list(range(BANDS))

_CONF: dict[str, Any] = {
    "task_acks_late": True,
    "task_ignore_result": True,
    "task_create_missing_queues": False,
    "task_send_sent_event": False,
    "task_serializer": "json",
    "accept_content": ["json"],
    "broker_channel_error_retry": True,
    "broker_connection_retry_on_startup": True,
    "worker_consumer": "backends.celery.consumer:Consumer",
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_detect_quorum_queues": False,
    "worker_disable_rate_limits": True,
    "worker_enable_prefetch_count_reduction": False,
    "worker_hijack_root_logger": False,
    "worker_pool": "threads",
    "worker_prefetch_multiplier": 1,
    "worker_redirect_stdouts": False,
}

#: The settings that Flower needs: task events and remote control.
_TELLING = ("worker_send_task_events", "worker_enable_remote_control")


class Connection(StockConnection):
    """A connection whose Redis channel is ours, under Redis's own name."""

    def get_transport_cls(self) -> Any:
        return Transport if self.transport_cls == "redis" else pyamqp.Transport


class PublisherConnection(StockConnection):
    """A connection of one thread at a time, that publishes and asks."""

    def get_transport_cls(self) -> Any:
        is_redis = self.transport_cls == "redis"
        return PublisherTransport if is_redis else rabbit_transport.Transport


class App(Celery):
    """Celery for one alias.

    Its connections come from the address alone: stock Celery prefers
    CELERY_BROKER_URL, one variable for every app of the process.
    """

    def __init__(
        self,
        alias: str,
        address: Address,
        *,
        heartbeat: int,
        dead_after: float,
        longest: int,
        flower: bool = False,
    ) -> None:
        told = dict.fromkeys(_TELLING, flower)
        super().__init__(alias, set_as_current=False, fixups=[], changes=_CONF | told)
        self.address = address
        self.arguments = kombu_arguments(address)
        self.longest = longest
        self.declared: frozenset[str] = frozenset()
        self.conf.broker_heartbeat = heartbeat
        self.conf.broker_url = f"{self.arguments['transport']}://"  # for what prints it
        self.reading = _reading(address, alias, dead_after)
        if address.is_redis:
            self.reading["longest"] = longest  # read by `Channel`
        self.steps["consumer"].add(Renewal)

    def connection_for_read(self, url: str | None = None, **kwargs: Any) -> Connection:
        return Connection(
            **self.arguments,
            transport_options=self.reading,
            connect_timeout=_ANSWER,
            heartbeat=kwargs.get("heartbeat") or 0,
        )

    connection = connection_for_write = connection_for_read

    def connection_to_publish(self, timeout: float) -> PublisherConnection:
        """Return a connection that answers or fails within `timeout` seconds."""
        return PublisherConnection(
            **self.arguments,
            transport_options=_publishing(self.address, timeout),
            connect_timeout=timeout,
        )

    @property
    def Worker(self) -> Any:  # noqa: N802  # Celery's name
        """Refuse Celery's command line, which asks for it."""
        sys.exit(BARE_WORKER.format(command="celery worker", alias=self.main))

    def bare_worker(self, **options: Any) -> Any:
        """Return Celery's worker, to be started under a supervisor."""
        kind = self.subclass_with_self("celery.apps.worker:Worker")
        return kind(**options)

    def declare(self, queues: Iterable[str]) -> None:
        """Make queues known, which a worker may then be told to consume."""
        self.amqp.default_exchange = None  # or Celery binds them to one of its own
        self.amqp.queues = [physical(queue) for queue in sorted(set(queues))]


def physical(name: str) -> Queue:
    """Return a queue reached by its own name alone, through the default exchange.

    RabbitMQ refuses whoever declares it otherwise than it is: this is the only place.
    """
    return Queue(
        name,
        exchange=None,
        routing_key=name,
        durable=True,
        max_priority=BANDS - 1,
        # Said, because a virtual host may make it a quorum queue, without priorities.
        queue_arguments={"x-queue-type": "classic"},
    )


def _reading(address: Address, alias: str, dead_after: float) -> dict[str, Any]:
    if not address.is_redis:
        return {"read_timeout": _ANSWER, "write_timeout": _ANSWER}
    books = f"switchyard.{alias}.unacked"
    return {
        "priority_steps": _STEPS,
        "socket_timeout": _ANSWER,  # longer than BRPOP's own second
        "socket_connect_timeout": _ANSWER,
        "socket_keepalive": True,
        # Overdue by this much, BRPOP's reply will not come: connect anew.
        "health_check_interval": 2,
        "visibility_timeout": dead_after,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # Books of our own: another app's sweep would restore what we run.
        "unacked_key": books,
        "unacked_index_key": f"{books}_index",
        "unacked_mutex_key": f"{books}_mutex",
    }


def _publishing(address: Address, timeout: float) -> dict[str, Any]:
    if not address.is_redis:
        return {}
    return {
        "priority_steps": _STEPS,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "health_check_interval": 0,
    }
