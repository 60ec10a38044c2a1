"""What is particular to having no broker."""

import pytest

from backends.database import DatabaseBackend
from core.errors import BrokerConfigError
from tests.backends.receivers import Recorder, message


def test_address_of_a_broker_is_refused() -> None:
    with pytest.raises(BrokerConfigError, match="URL: there is no broker to reach"):
        DatabaseBackend("alias", "redis://localhost", Recorder())


def test_database_backend_has_no_broker() -> None:
    backend = DatabaseBackend("alias", "", Recorder())
    with pytest.raises(NotImplementedError, match="has no broker"):
        backend.publish([message("one", "default")])
    backend.ping()
    assert (backend.depth("default"), backend.purge("default")) == (0, 0)
